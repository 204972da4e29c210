"""The fixed held-out gaps: cut from packages that training never sees, kept as JSON lines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train.cuts import SINGLE_LINE, Cutter, Kind
from dcomplete.train.examples import clip, encode
from dcomplete.train.sources import Document

GAPS, PER_FILE = 480, 4
WITHIN_LINE = tuple(kind.name.lower() for kind in SINGLE_LINE)  # as `HeldOut.kind`
_OTHERS = (
    Kind.LINES, Kind.SPAN, Kind.EXPRESSION, Kind.STATEMENT, Kind.ARGUMENTS, Kind.LINES, Kind.BLOCK,
    Kind.SPAN, Kind.BODY, Kind.LINES, Kind.EXPRESSION, Kind.EMPTY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One gap to evaluate with; `path` is within the package."""

    prefix: str
    suffix: str
    middle: str
    kind: str
    path: str
    package: str
    language: str


def cut(
    documents: Sequence[Document], tokens: Tokens, seed: int, count: int = GAPS
) -> list[HeldOut]:
    """About `count` gaps, packages taking turns, half of them single lines or rests of lines.

    The whole text behind a gap (up to 3,000 characters) is kept, unlike in training.
    """
    queue = _in_turns(documents, Random(f"{seed}:held-out"))
    found: list[HeldOut] = []
    for turn in range(PER_FILE):
        for document in queue:
            if len(found) >= count:
                return found
            rng = Random(f"{seed}:{document.package}:{document.path}:{turn}")
            place = len(found)
            kind = SINGLE_LINE[place // 2 % 2] if place % 2 else _OTHERS[place // 2 % len(_OTHERS)]
            gap = _one(document, tokens, kind, rng, found)
            found += [gap] if gap else []
    return found


def _one(
    document: Document, tokens: Tokens, kind: Kind, rng: Random, found: Iterable[HeldOut]
) -> HeldOut | None:
    cutter = Cutter(document.text, document.language)
    for _ in range(8):
        gap = cutter.gap(rng, kind)
        text = clip(document.text, gap) if gap else None
        if gap is None or text is None or encode(tokens, gap, text) is None:
            continue
        new = HeldOut(
            text.prefix, text.suffix, text.middle, gap.kind.name.lower(),
            document.path, document.package, document.language,
        )  # fmt: skip
        if new not in found:
            return new
    return None


def _in_turns(documents: Sequence[Document], rng: Random) -> list[Document]:
    """Shuffled, one of each package after the other, so that no package rules the set."""
    by_package: dict[str, list[Document]] = {}
    for document in sorted(documents, key=lambda d: (d.package, d.path)):
        by_package.setdefault(document.package, []).append(document)
    for group in by_package.values():
        rng.shuffle(group)
    longest = max(map(len, by_package.values()), default=0)
    return [g[i] for i in range(longest) for g in by_package.values() if i < len(g)]


def write(gaps: Iterable[HeldOut], path: Path) -> None:
    """One JSON object a line."""
    lines = (json.dumps(asdict(gap), ensure_ascii=False) for gap in gaps)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def read(path: Path) -> list[HeldOut]:
    """The gaps of a file. Raises UserError where it is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            raw: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [HeldOut(**gap) for gap in raw]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} holds no held-out gaps; write them with prepare.") from error
