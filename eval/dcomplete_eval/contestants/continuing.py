"""What a model that knows no fill-in-the-middle can do: continue the prefix, cut where the gap ends.

The rule. The model sees the prefix alone. It is told how many line ends the gap holds (the truth's
own, which no other contestant is told; or ``lines=N`` for every gap), and writes until that many have
come. Where the truth ends with a line end, the answer is cut there. Where the gap ends within a line,
the model writes that line too, and the answer is cut where the line repeats what stands behind the
gap: at the suffix's first line, or at the longest beginning of it with which the answer ends.

A space before the gap belongs to the token behind it: it is left to the model, and taken off the answer.
Empty lines at the beginning of an answer that begins a line are dropped (as in Qwen2.5-Coder's evaluation).
"""

from dataclasses import dataclass, replace

from dcomplete_eval.contestants.around import Around
from dcomplete_eval.types import Task

RULE = (
    "prefix only, its last space healed; empty first lines dropped; cut after the gap's line ends (told), "
    "then where the suffix begins"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """`newlines` line ends belong to the gap; `within` says that it ends within a line."""

    newlines: int
    within: bool
    after: str  # the suffix's first line
    lead: str  # the space that the answer begins with
    begins_line: bool

    @staticmethod
    def of(task: Task, lines: int | None = None) -> "Cut":
        """`lines` replaces what the truth tells: so many whole lines."""
        newlines = task.gold.count("\n") if lines is None else lines
        within = not task.gold.endswith("\n") if lines is None else lines == 0
        lead = " " if task.prefix.endswith(" ") else ""
        begins_line = not task.prefix or task.prefix.endswith("\n")
        return Cut(newlines, within, task.suffix.partition("\n")[0], lead, begins_line)

    def shown(self, around: Around) -> Around:
        """What the model is shown: the text without the space before the gap."""
        return replace(around, prefix=around.prefix.removesuffix(self.lead))

    def enough(self, text: str) -> bool:
        """Whether more text would be cut off."""
        return self._begun(text).count("\n") >= self.newlines + self.within

    def apply(self, text: str) -> str:
        """The part of `text` that is the answer."""
        text = self._begun(text)
        lines = text.split("\n")
        whole = "".join(f"{line}\n" for line in lines[: self.newlines])
        if not self.within:
            return text if len(lines) <= self.newlines else whole
        if len(lines) <= self.newlines:
            return text
        return whole + self._before_suffix(lines[self.newlines])

    def _begun(self, text: str) -> str:
        return text.lstrip("\n") if self.begins_line else text.removeprefix(self.lead)

    def _before_suffix(self, line: str) -> str:
        after = self.after
        if after.strip() and (place := line.rfind(after)) >= 0:
            return line[:place]
        for size in range(min(len(line), len(after)), 0, -1):
            if line.endswith(after[:size]):
                return line[:-size]
        return line
