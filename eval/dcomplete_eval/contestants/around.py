"""What a contestant that is no engine of ours is shown of a task: as much text as our engine sees."""

from dataclasses import dataclass

from dcomplete_eval.types import Task

_CHARS_PER_TOKEN = 4
_SUFFIX_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Around:
    """Text before and after the gap; `extra` is other text worth knowing."""

    prefix: str
    suffix: str
    extra: str = ""

    @staticmethod
    def of(task: Task, context: int) -> "Around":
        """Clipped to about `context` tokens, a quarter of them behind the gap, at line borders."""
        after = int(context * _SUFFIX_SHARE) * _CHARS_PER_TOKEN
        before = context * _CHARS_PER_TOKEN - after
        other, prefix = retrieved(task)
        extra = _end(other, before // 3)
        return Around(_end(prefix, before - len(extra)), _start(task.suffix, after), extra)

    @property
    def before(self) -> str:
        """The prefix with the extra text on lines of its own before it."""
        return f"{self.extra.rstrip(chr(10))}\n{self.prefix}" if self.extra else self.prefix


def retrieved(task: Task) -> tuple[str, str]:
    """The prefix cut in two: text from elsewhere that a benchmark put before it, and its own text.

    Such benchmarks say in ``extra["retrieved"]`` how many characters that is.
    """
    count = int(task.extra.get("retrieved", 0))
    return task.prefix[:count], task.prefix[count:]


def _end(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept = text[len(text) - limit :]
    return kept[kept.find("\n") + 1 :] if "\n" in kept[:-1] else kept


def _start(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept = text[:limit]
    return kept[: kept.rfind("\n") + 1] or kept
