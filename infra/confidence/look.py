"""The look of the pictures, and how one becomes SVG that stands in a page: its colours are the page's variables."""

import io
import re
import warnings
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")


class Colour(NamedTuple):
    """A colour by its role: for light pages, for dark ones. Blue and orange are told apart by colour-blind eyes."""

    name: str
    light: str
    dark: str


INK = Colour("ink", "#1c2430", "#e8eaed")
SOFT = Colour("soft", "#5b6572", "#a3acb8")
RULE = Colour("rule", "#d8dce2", "#39414d")
PAPER = Colour("paper", "#ffffff", "#171b21")
RIGHT = Colour("right", "#1f6fb2", "#62b0ee")
WRONG = Colour("wrong", "#c8501a", "#ff9060")
UNSEEN = Colour("unseen", "#a9b1bb", "#67717e")
PROMISE = Colour("promise", "#0b7a5e", "#45c9a3")
COLOURS = (INK, SOFT, RULE, PAPER, RIGHT, WRONG, UNSEEN, PROMISE)

WIDTH, HEIGHT = 5.4, 3.9  # inches; 72 units of the picture each
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it takes the page's font, can be read aloud, searched and copied
    "svg.hashsalt": "teachback",  # the same figures give the same bytes
    "text.parse_math": False,  # a name with `$` in it is a name
    "font.size": 11.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": RULE.light,
    "axes.labelcolor": SOFT.light,
    "axes.labelsize": 11.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": RULE.light,
    "grid.linewidth": 0.7,
    "text.color": INK.light,
    "xtick.color": RULE.light,
    "ytick.color": RULE.light,
    "xtick.labelcolor": SOFT.light,
    "ytick.labelcolor": SOFT.light,
    "xtick.major.size": 0,
    "xtick.major.pad": 7,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.labelcolor": INK.light,
    "legend.handlelength": 1.2,
    "lines.linewidth": 1.8,
}
HEX = re.compile("|".join(re.escape(colour.light) for colour in COLOURS))
VARIABLE = {colour.light: f"var(--{colour.name}, {colour.light})" for colour in COLOURS}
TAG = re.compile(r"<[^>]*>")
NAMED = re.compile(r'(\bid="|url\(#|href="#)')
FONT = re.compile(r'font-family: [^;"]*;? ?')
ASIDE = re.compile(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", re.DOTALL)


def svg(figure: "Figure", name: str, label: str) -> str:
    """A figure as an `<svg>` element. `name` keeps its ids apart from other pictures'; `label` is read aloud.

    Nothing is fetched by it, and the same figure gives the same text.
    """
    from xml.sax.saxutils import quoteattr

    out = io.StringIO()
    empty: dict[str, Any] = {"Creator": None, "Date": None, "Format": None, "Type": None}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # the browser's font has it
        figure.savefig(out, format="svg", metadata=empty, transparent=True)
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :].strip()
    opening = f'<svg role="img" aria-label={quoteattr(label)} '
    drawn = opening + ASIDE.sub("", drawn[len("<svg ") :])
    return TAG.sub(lambda tag: _adapted(tag[0], name), drawn)


def _adapted(tag: str, name: str) -> str:
    """A tag of matplotlib's with our names and the page's colours and font. What is written between tags stays."""
    if tag.startswith("<svg"):
        tag = re.sub(r' (width|height)="[^"]*"', "", tag, count=2)
    tag = NAMED.sub(rf"\g<1>{name}-", tag)
    tag = HEX.sub(lambda colour: VARIABLE[colour[0]], tag)
    return FONT.sub("", tag)


def canvas(height: float = HEIGHT, heights: tuple[int, ...] = (1,)) -> "tuple[Figure, list[Axes]]":
    """A figure in the house's look, with axes below each other that share the horizontal one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, list(axes[:, 0])


def styled(draw: Callable[P, str]) -> Callable[P, str]:
    """A function that draws a picture, in the house's look whatever matplotlib is configured to."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> str:
        import matplotlib as mpl

        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(cast(Any, STYLE))
            return draw(*args, **kwargs)

    return in_style


def percent(axis: Any) -> None:
    """Shares in per cent along an axis."""
    axis.set_major_formatter(lambda value, _: f"{round(100 * value, 4):g} %")


def variables(dark: bool = False) -> str:
    """The colours as CSS declarations."""
    return " ".join(f"--{colour.name}: {colour.dark if dark else colour.light};" for colour in COLOURS)
