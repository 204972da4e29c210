"""How alike two pieces of code are, by their identifiers and by their lines."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from dcomplete.document import Snapshot

Words = frozenset[str]

_IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
_BEFORE = 2000  # characters before the gap that say what is worked on
_AFTER = 600


def identifiers(text: str) -> Words:
    """The words of at least three characters in `text`, keywords included: rarity sorts them out."""
    return frozenset(_IDENTIFIER.findall(text))


def nearby(snapshot: Snapshot) -> str:
    """The text on both sides of the gap that tells what is worked on."""
    start, end = snapshot.gap.start, snapshot.gap.end
    return snapshot.text[max(0, start - _BEFORE) : start] + snapshot.text[end : end + _AFTER]


def rarity(candidates: Sequence[Words], wanted: Words) -> dict[str, float]:
    """Weights of the `wanted` words in nats: the fewer candidates hold a word, the more it tells."""
    held = Counter(word for candidate in candidates for word in candidate & wanted)
    total = len(candidates)
    return {word: math.log(1 + total / count) for word, count in held.items()}


def overlap(candidate: Words, wanted: Words, weights: Mapping[str, float]) -> float:
    """Weighted Jaccard similarity; a word that no candidate holds weighs as a common one."""
    if not candidate or not wanted:
        return 0.0
    both = sum(weights.get(word, 0.0) for word in candidate & wanted)
    return both / (math.sqrt(len(candidate | wanted)))


def dice(first: Set[str], second: Set[str]) -> float:
    """Sorensen-Dice similarity of two sets, 0 to 1 (llama.vim's measure for chunks)."""
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 0.0


def line_set(text: str) -> frozenset[str]:
    """The lines of `text` that hold something, without indentation."""
    return frozenset(filter(None, map(str.strip, text.split("\n"))))


def best(scored: Iterable[tuple[float, int]], most: int, least: float) -> list[tuple[float, int]]:
    """The `most` greatest (score, index) pairs with a score of at least `least`, best first."""
    return sorted((pair for pair in scored if pair[0] >= least), reverse=True)[:most]
