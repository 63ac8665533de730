"""How fast the loop is, beside named references: `make bench`, or `python -m bench.loop`."""
