"""The denoising as an animated SVG: no script in it, so that a README can show it."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from dcomplete.errors import UserError

if TYPE_CHECKING:
    from rich.text import Text

_STEP_S, _HOLD_S = 0.45, 2.5  # how long a step and the last one are shown
_WIDTH, _LINE, _PAD, _SIZE = 8.4, 19, 16, 14  # pixels
_COLOURS = {"cyan": "#39c5cf", "bold green": "#56d364", "dim": "#8b949e", "dim italic": "#6e7681"}
_DEFAULT = "#e6edf3"


def animated_svg(frames: "list[Text]") -> str:
    """One picture that shows the frames one after another, and again."""
    lines = [frame.split("\n") for frame in frames]
    columns = max(len(line) for frame in lines for line in frame)
    width = columns * _WIDTH + 2 * _PAD
    height = max(map(len, lines)) * _LINE + 2 * _PAD
    total = _STEP_S * (len(frames) - 1) + _HOLD_S
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" role="img" aria-label="a gap being denoised">',
        _style(len(frames), total),
        '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    ]
    for number, frame in enumerate(lines):
        parts.append(f'<g class="f f{number}">')
        parts += [_line(line, _PAD + (row + 0.8) * _LINE) for row, line in enumerate(frame)]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>\n"])


def _style(count: int, total: float) -> str:
    rules = [
        f"text {{ font: {_SIZE}px ui-monospace, Menlo, Consolas, monospace; white-space: pre; }}",
        f".f {{ opacity: 0; animation-duration: {total:.2f}s; animation-iteration-count: infinite;"
        " animation-timing-function: step-end; }",
    ]
    for n in range(count):
        start = 100 * n * _STEP_S / total
        end = 100 * (n + 1) * _STEP_S / total if n + 1 < count else 100
        before = "0% { opacity: 0; } " if n else ""
        after = f"{end:.2f}% {{ opacity: 0; }} " if n + 1 < count else ""
        rules.append(f"@keyframes k{n} {{ {before}{start:.2f}% {{ opacity: 1; }} {after}}}")
        still = "" if n + 1 < count else "opacity: 1; "  # what a viewer without animation shows
        rules.append(f".f{n} {{ {still}animation-name: k{n}; }}")
    return "<style>\n" + "\n".join(rules) + "\n</style>"


def _line(line: "Text", y: float) -> str:
    spans = []
    for start, end, style in _runs(line):
        colour = _COLOURS.get(style, _DEFAULT)
        spans.append(f'<tspan fill="{colour}">{escape(line.plain[start:end])}</tspan>')
    return f'<text x="{_PAD}" y="{y:.0f}" xml:space="preserve">{"".join(spans)}</text>'


def _runs(line: "Text") -> list[tuple[int, int, str]]:
    """(start, end, style) of pieces in one style; later spans win."""
    styles = [str(line.style)] * len(line)
    for span in line.spans:
        styles[span.start : span.end] = [str(span.style)] * len(styles[span.start : span.end])
    runs: list[tuple[int, int, str]] = []
    for at, style in enumerate(styles):
        if runs and runs[-1][2] == style:
            runs[-1] = (runs[-1][0], at + 1, style)
        else:
            runs.append((at, at + 1, style))
    return runs


def write(path: Path, frames: "list[Text]") -> None:
    """Write the recording; raises UserError where that cannot be."""
    if not frames:
        raise UserError("No step was computed, so there is nothing to record.")
    try:
        path.write_text(animated_svg(frames), encoding="utf-8")
    except OSError as error:
        raise UserError(f"The recording {path} cannot be written: {error.strerror}.") from None
