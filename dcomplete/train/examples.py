"""From a gap in a document to token ids, cut exactly as inference cuts them (`Tokens.seam`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from dcomplete.engine.prompt import on_own_lines
from dcomplete.engine.tokens import Tokens
from dcomplete.train.cuts import Cutter, Gap

MAX_PREFIX, MAX_SUFFIX, MAX_OTHER, MAX_MIDDLE = 1024, 512, 512, 63  # tokens
PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 6000, 3000
_EMPTY_SUFFIX, _SHORT_SUFFIX = 0.10, 0.30
_ENDS_LINE = 0.60  # about the share of gaps that end with their line
_TRIES = 8
_SLACK = 8  # tokens


@dataclass(frozen=True, slots=True)
class Clip:
    """The text of one example: what is before, in and behind the gap, and other text before it all."""

    prefix: str
    middle: str
    suffix: str
    other: str = ""


Around = Callable[[Gap, Random], Clip | None]  # what an editor shows around a gap, if it asks there


@dataclass(frozen=True, slots=True)
class Cut:
    """One example as token ids, with the gap it comes from."""

    gap: Gap
    clip: Clip
    prefix: list[int]
    middle: list[int]
    suffix: list[int]
    other: list[int]


def clip(text: str, gap: Gap, rng: Random | None = None) -> Clip:
    """The text around a gap, cut at line starts; with `rng` the suffix is often short or empty.

    A gap that ends inside a line keeps the rest of its line, or the right answer would be a longer
    one.
    """
    before = text[: gap.start]
    if len(before) > PREFIX_CHARACTERS:
        at = before.find("\n", len(before) - PREFIX_CHARACTERS) + 1
        before = before[at:] if at else before[-PREFIX_CHARACTERS:]
    after = text[gap.end : gap.end + SUFFIX_CHARACTERS]
    if gap.end + SUFFIX_CHARACTERS < len(text):
        after = after[: after.rfind("\n") + 1] or after
    after = after if rng is None else shorter(after, gap, text, rng)
    return Clip(before, text[gap.start : gap.end], after)


def shorter(after: str, gap: Gap, text: str, rng: Random) -> str:
    """The text behind a gap of `text`, or only the beginning of it, or nothing."""
    choice = rng.random()
    ends_line = text[gap.start : gap.end].endswith("\n") or after[:1] in ("", "\n")
    if ends_line and choice < _EMPTY_SUFFIX / _ENDS_LINE:
        return after[: rng.random() < 0.25] if after.startswith("\n") else ""
    if rng.random() < _SHORT_SUFFIX / (1 - _EMPTY_SUFFIX):
        lines = after.splitlines(keepends=True)
        return "".join(lines[: rng.randrange(1, 8)])
    return after


def encode(tokens: Tokens, gap: Gap, text: Clip) -> Cut | None:
    """The example, or None where inference could not produce its middle."""
    if len(tokens.encode(text.middle)) > MAX_MIDDLE + _SLACK:
        return None  # cheap; the borders' head and tail add to it, and may also join tokens
    seam = tokens.seam(text.prefix, text.suffix)
    if not text.middle[:1].isspace():
        seam = seam.parted()
    middle = tokens.encode(seam.middle(text.middle))
    if len(middle) > MAX_MIDDLE:
        return None
    if seam.head and not (middle and tokens.pieces[middle[0]].startswith(seam.head.encode())):
        return None
    other = on_own_lines(tokens, text.other) if text.other else []
    return Cut(
        gap, text, seam.prefix[-MAX_PREFIX:], middle, seam.suffix[:MAX_SUFFIX], other[-MAX_OTHER:]
    )


def examples(
    tokens: Tokens,
    text: str,
    language: str,
    count: int,
    rng: Random,
    around: Around = lambda gap, rng: None,
) -> Iterator[Cut]:
    """Up to `count` examples of one document, no two of the same gap. `around` may say what is shown of
    a gap instead of the text next to it."""
    cutter, seen = Cutter(text, language), set()
    for _ in range(count):
        kind = cutter.kind(rng)
        for _ in range(_TRIES):
            gap = cutter.gap(rng, kind)
            if gap is None or (gap.start, gap.end) in seen:
                continue
            cut = encode(tokens, gap, around(gap, rng) or clip(text, gap, rng))
            if cut:
                seen.add((gap.start, gap.end))
                yield cut
                break
