"""A sitting in a terminal: two panels, one key."""

from collections.abc import Callable
from concurrent.futures import Future, TimeoutError

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dcomplete.votes.types import Choice
from dcomplete_eval.arena.sitting import Revealed, Shown, Sitting
from dcomplete_eval.arena.view import Line, sides

KEYS: dict[str, Choice] = {"1": "first", "2": "second", "t": "tie", "n": "neither"}
HELP = "[b]1[/b] first   [b]2[/b] second   [b]t[/b] tie   [b]n[/b] neither   [b]s[/b] skip   [b]q[/b] quit"
BEFORE, AFTER = 12, 5  # lines around the gap
_WIDE = 120  # columns from which on the two stand side by side
_STYLES = {
    "comment": "bright_black italic",
    "string": "green",
    "number": "cyan",
    "keyword": "magenta",
    "builtin": "blue",
    "name": "yellow",
}
_QUIT = ("q", "\x1b")


class Terminal:
    """Asks for votes until enough were given or the person quits. `read` reads one key."""

    def __init__(self, console: Console, sitting: Sitting, read: Callable[[], str]) -> None:
        self._console, self._sitting, self._read = console, sitting, read

    def run(self, most: int = 0) -> int:
        """Take `most` votes, or as many as there are given; how many it were."""
        while not most or self._sitting.votes < most:
            shown = self._wait(self._sitting.show())
            self._console.print(render(shown, self._console.width))
            key = self._key()
            if key in _QUIT:
                break
            if key == "s":
                self._sitting.skip(shown.id)
                continue
            revealed = self._sitting.vote(shown.id, KEYS[key])
            self._console.print(sentence(revealed), self._tally(most), sep="\n", highlight=False)
        return self._sitting.votes

    def _wait(self, pair: "Future[Shown]") -> Shown:
        with self._console.status("Both are being asked; the slower one decides …"):
            while True:
                try:
                    return pair.result(timeout=0.5)  # Ctrl-C is heard in between
                except TimeoutError:
                    if pair.done():  # by now, or with a TimeoutError of its own
                        return pair.result()

    def _key(self) -> str:
        self._console.print(HELP)
        while True:
            try:
                key = self._read().lower()
            except EOFError:  # Ctrl-D
                return "q"
            if key in KEYS or key in _QUIT or key == "s":
                return key

    def _tally(self, most: int) -> str:
        of = f" of {most}" if most else ""
        apart = self._sitting.dealer.what_apart()
        return f"[dim]{self._sitting.votes}{of} votes" + (f"; set apart: {apart}" if apart else "")


def render(shown: Shown, width: int) -> RenderableType:
    """Both answers in their place, side by side where there is room."""
    panels = [
        Panel(code(found), title=title, title_align="left", border_style="bright_black")
        for found, title in zip(
            sides(shown, BEFORE, AFTER), ("[b]1[/b] First", "[b]2[/b] Second"), strict=True
        )
    ]
    if width < _WIDE:
        return Group(*panels)
    table = Table.grid(expand=True)
    for _ in panels:
        table.add_column(ratio=1)
    table.add_row(*panels)
    return table


def code(found: list[Line]) -> Text:
    """Lines with numbers; what the contestant wrote stands out, also without colours."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for line in found:
        text.append("▌" if line.answer else " ", "cyan")
        text.append(f"{line.number:>4} ", "bright_black")
        for piece in line.pieces:
            style = _STYLES.get(piece.kind, "")
            text.append(
                piece.text.expandtabs(4), f"{style} bold" if piece.answer else f"{style} dim"
            )
        text.append("\n")
    text.rstrip()
    return text


def sentence(revealed: Revealed) -> str:
    """Who was who."""
    verdict = {
        "first": "You chose the first.",
        "second": "You chose the second.",
        "tie": "A tie.",
        "neither": "Neither.",
    }[revealed.choice]
    names = [
        f"{place}: [cyan]{escape(side.contestant)}[/cyan] ({side.latency_ms:.0f} ms)"
        for place, side in (("first", revealed.first), ("second", revealed.second))
    ]
    return f"[b]{verdict}[/b]  {'   '.join(names)}"
