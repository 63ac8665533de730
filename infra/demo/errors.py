"""What can go wrong with a demo."""


class DemoError(Exception):
    """The demo can't start, or something that it claims did not happen; the message says what, and where to look.

    DemoError
    ├── BadData       the data file can't be used
    └── NotConfirmed  the log or the table do not bear out the report
    """


class BadData(DemoError):
    """The data file can't be used."""


class NotConfirmed(DemoError):
    """The log or the table do not bear out what the demo was about to claim."""
