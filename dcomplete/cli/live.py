"""The denoising seen live: masked cells, decided ones, what stays."""

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from dcomplete.types import Cell, Infill, InfillRequest

_LINES = 6  # of context shown on each side


class LiveView:
    """Redraws the text with its gaps after every denoise step, on stderr."""

    def __init__(self, request: InfillRequest, quiet: bool = False) -> None:
        self._before = "\n".join(request.prefix.split("\n")[-_LINES:])
        self._after = "\n".join(request.suffix.split("\n")[:_LINES])
        self._between = request.between
        self.frames: list[Text] = []
        self._live = Live(console=Console(stderr=True, quiet=quiet), auto_refresh=False)

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, step: int, rows: list[list[Cell]]) -> None:
        """A `types.Watcher`: the first row in its surroundings, others below it."""
        masked = sum(cell.text is None for row in rows for cell in row)
        others = [_said("or ").append_text(_cells(row)) for row in rows[1:]]
        self._draw(_said(f"step {step}, {masked} masked"), self._placed(rows[0]), *others)

    def end(self, found: Infill) -> None:
        """The best answer, which need not be the row that was looked at last."""
        texts = found.best.texts
        row = [Cell(texts[0], False)]
        for pinned, text in zip(self._between, texts[1:], strict=True):
            row += [Cell(pinned, True), Cell(text, False)]
        self._draw(_said(f"step {found.steps}, done"), self._placed(row))

    def _draw(self, *drawn: Text) -> None:
        self.frames.append(Text("\n").join(drawn))
        self._live.update(Group(*drawn), refresh=True)

    def _placed(self, row: list[Cell]) -> Text:
        text = Text().append(self._before, style="dim")
        return text.append_text(_cells(row)).append(self._after, style="dim")


def _said(words: str) -> Text:
    return Text().append(words, style="dim italic")


def _cells(row: list[Cell]) -> Text:
    text = Text()
    for cell in row:
        if cell.text is None:
            text.append("░", style="cyan")
        else:
            text.append(cell.text, style="dim" if cell.pinned else "bold green")
    return text
