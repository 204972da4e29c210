"""The denoising seen live: masked cells, decided ones, what stays."""

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from dcomplete.types import Cell, InfillRequest

_LINES = 6  # of context shown on each side


class LiveView:
    """Redraws the text with its gaps after every denoise step, on stderr."""

    def __init__(self, request: InfillRequest, quiet: bool = False) -> None:
        self._before = "\n".join(request.prefix.split("\n")[-_LINES:])
        self._after = "\n".join(request.suffix.split("\n")[:_LINES])
        self.frames: list[Text] = []
        self._live = Live(console=Console(stderr=True, quiet=quiet), auto_refresh=False)

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, step: int, rows: list[list[Cell]]) -> None:
        """A `types.Watcher`."""
        drawn = [self.frame(step, row) for row in rows]
        self.frames.append(Text("\n").join(drawn))
        self._live.update(Group(*drawn), refresh=True)

    def frame(self, step: int, row: list[Cell]) -> Text:
        """One row of the canvas in its surroundings."""
        masked = sum(cell.text is None for cell in row)
        text = Text(f"step {step}, {masked} masked\n", style="dim italic")
        text.append(self._before, style="dim")
        for cell in row:
            if cell.text is None:
                text.append("░", style="cyan")
            else:
                text.append(cell.text, style="dim" if cell.pinned else "bold green")
        text.append(self._after, style="dim")
        return text
