"""How plots look: one colour for each contestant, and pictures that follow the page's light and dark."""

import base64
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1c1d1f", "#6b6e73", "#dcdcd6", "#fefefd"
# Okabe and Ito 2008: told apart by colour-blind readers. Markers tell them apart in print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#5c5346")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")
_WIDTH = 7.6  # inches
_ROLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"} | {
    c: f"c{i}" for i, c in enumerate(COLOURS, 1)
}
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": ["DejaVu Sans"],
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a contestant's name is a dollar
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "dcomplete",
    "figure.constrained_layout.use": True,
}


class Palette:
    """A colour and a marker for each contestant, the same in every figure; references are grey."""

    def __init__(self, names: Iterable[str], references: Iterable[str] = ()) -> None:
        grey = set(references)
        own = [name for name in dict.fromkeys(names) if name not in grey]
        self._place = {name: at % len(COLOURS) for at, name in enumerate(own)}

    def colour(self, name: str) -> str:
        at = self._place.get(name)
        return MUTED if at is None else COLOURS[at]

    def role(self, name: str) -> str:
        """The page's name for the colour, such as ``c1``."""
        return _ROLES[self.colour(name)]

    def marker(self, name: str) -> str:
        at = self._place.get(name)
        return "|" if at is None else MARKERS[at]


@contextmanager
def drawing(
    count: int, across: int, height: float, **share: Any
) -> Iterator[tuple["Figure", list["Axes"]]]:
    """A figure of `count` panels, `across` side by side, each row `height` inches high."""
    with _style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows, columns = -(-count // across), min(count, across)
        figure = Figure(figsize=(_WIDTH, max(1.5, height) * rows))
        FigureCanvasAgg(figure)
        panels = list(figure.subplots(rows, columns, squeeze=False, **share).flat)
        for panel in panels[count:]:
            panel.set_visible(False)
        yield figure, panels[:count]


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib as mpl
    except ImportError:
        raise UserError("Plots need matplotlib: pip install 'dcomplete[eval]'.") from None
    with mpl.rc_context(_STYLE):
        yield


def svg(figure: "Figure", name: str) -> str:
    """The figure to put into a page: scales, uses the page's font and colours, has ids of its own."""
    stream = io.StringIO()
    with _style():
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"', r"\1", text, count=1)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = text.replace('xmlns:xlink="http://www.w3.org/1999/xlink"', "").replace(
        "xlink:href", "href"
    )
    for colour, role in _ROLES.items():
        text = re.sub(colour, f"var(--{role})", text, flags=re.I)
    return text.strip()


def png(figure: "Figure", path: Path, line: str, about: Mapping[str, Any]) -> None:
    """The figure as a file of its own, with what it rests on below it and in the file's description."""
    told = {"Software": "dcomplete", "Description": json.dumps(about, default=str)}
    with _style():
        note = figure.text(0.01, -0.01, fill(line, 150), va="top", fontsize=5.5, color=MUTED)
        figure.savefig(path, dpi=180, facecolor=PAPER, bbox_inches="tight", metadata=told)
        note.remove()


def icon() -> str:
    """The page's icon as a data address, so that nothing is asked of a server."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
        f'<rect x="2" y="9" width="3" height="5" fill="{COLOURS[0]}"/>'
        f'<rect x="6.5" y="5" width="3" height="9" fill="{COLOURS[1]}"/>'
        f'<rect x="11" y="2" width="3" height="12" fill="{COLOURS[2]}"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()
