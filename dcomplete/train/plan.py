"""How many gaps to cut from each document, so that no package rules the set."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from dcomplete.errors import UserError
from dcomplete.train.sources import Document

PER_DOCUMENT, CHARACTERS_PER_CUT = 40, 300
PACKAGE_SHARE, OTHERS_SHARE = 0.12, 0.15
_TEST_WEIGHT, _STUB_WEIGHT = 0.5, 0.3  # tests are long and alike, stubs have no bodies
_ROUNDS = 60


def plan(
    documents: Sequence[Document],
    seed: int,
    limit: int | None = None,
    per_document: int = PER_DOCUMENT,
    package_share: float = PACKAGE_SHARE,
    others_share: float = OTHERS_SHARE,
) -> list[int]:
    """Gaps per document: about one for 300 characters, scaled down to `limit` and the shares.

    A package gets at most `package_share` of all, or its even share where there are few packages;
    languages other than Python get at most `others_share` together, where there is Python.
    """
    if not (0 < package_share <= 1 and 0 <= others_share < 1) or per_document < 1:
        raise UserError("Give shares between 0 and 1 and at least one gap per document.")
    wants = [_want(document, per_document) for document in documents]
    wants = _side_languages(documents, wants, others_share)
    groups: dict[str, list[int]] = defaultdict(list)
    for at, document in enumerate(documents):
        groups[document.package].append(at)
    sizes = {name: sum(wants[i] for i in rows) for name, rows in groups.items()}
    share = max(package_share, 1 / max(1, len(groups)))
    sizes = _fill(sizes, share, limit)
    rng = Random(f"{seed}:plan")
    counts = [0] * len(documents)
    for name, rows in groups.items():
        total = sum(wants[i] for i in rows)
        for i in rows:
            counts[i] = _round(wants[i] * sizes[name] / total if total else 0.0, rng)
    return counts


def _want(document: Document, most: int) -> float:
    want = min(float(most), max(1.0, len(document.text) / CHARACTERS_PER_CUT))
    weight = _STUB_WEIGHT if document.path.endswith(".pyi") else 1.0
    return want * weight * (_TEST_WEIGHT if _is_test(document.path) else 1.0)


def _is_test(path: str) -> bool:
    parts = path.split("/")
    return parts[-1].startswith("test_") or bool({"test", "tests", "testing"} & set(parts[:-1]))


def _side_languages(documents: Sequence[Document], wants: list[float], share: float) -> list[float]:
    """The wants of other languages scaled down to `share` of all, the frequent ones more than the rare.

    Each gets in proportion to the root of what there is of it, as multilingual models draw their texts
    (arXiv 1911.02116), and never more than there is.
    """
    totals: dict[str, float] = defaultdict(float)
    for document, want in zip(documents, wants, strict=True):
        totals[document.language] += want
    python = totals.pop("python", 0.0)
    others = sum(totals.values())
    if not python or not others:
        return wants
    room = python * share / (1 - share)
    if others <= room:
        return wants
    given = _capped({n: total**0.5 for n, total in totals.items()}, totals, room)
    scale = {n: given[n] / totals[n] for n in totals} | {"python": 1.0}
    return [w * scale[d.language] for d, w in zip(documents, wants, strict=True)]


def _capped(weights: dict[str, float], most: dict[str, float], total: float) -> dict[str, float]:
    """`total` in proportion to `weights`, none above its `most`; `total` is at most their sum."""
    low, high = 0.0, max((most[n] / weights[n] for n in weights if weights[n]), default=1.0)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if sum(min(weights[n] * middle, most[n]) for n in weights) < total:
            low = middle
        else:
            high = middle
    return {n: min(weights[n] * high, most[n]) for n in weights}


def _fill(sizes: dict[str, float], share: float, limit: int | None) -> dict[str, float]:
    """Scale all groups alike, but cap each at `share` of the total (water filling)."""
    total = min(sum(sizes.values()), float(limit) if limit is not None else float("inf"))
    for _ in range(_ROUNDS):  # a cap lowers the total, which lowers the cap
        capped = _capped(sizes, {n: min(size, share * total) for n, size in sizes.items()}, total)
        reached = sum(capped.values())
        if reached >= total * 0.999:
            break
        total = reached
    return capped


def _round(value: float, rng: Random) -> int:
    """Up or down by chance, so that the mean stays."""
    whole = int(value)
    return whole + (rng.random() < value - whole)
