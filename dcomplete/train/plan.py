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
    others = sum(w for d, w in zip(documents, wants, strict=True) if d.language != "python")
    python = sum(wants) - others
    if not python or not others:
        return wants
    scale = min(1.0, python * share / (1 - share) / others)
    return [
        w if d.language == "python" else w * scale for d, w in zip(documents, wants, strict=True)
    ]


def _fill(sizes: dict[str, float], share: float, limit: int | None) -> dict[str, float]:
    """Scale all groups alike, but cap each at `share` of the total (water filling)."""
    total = min(sum(sizes.values()), float(limit) if limit is not None else float("inf"))
    for _ in range(_ROUNDS):  # a cap lowers the total, which lowers the cap
        capped = _level(sizes, share * total, total)
        reached = sum(capped.values())
        if reached >= total * 0.999:
            break
        total = reached
    return capped


def _level(sizes: dict[str, float], cap: float, total: float) -> dict[str, float]:
    low, high = 0.0, 1.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if sum(min(size * middle, cap) for size in sizes.values()) < total:
            low = middle
        else:
            high = middle
    return {name: min(size * high, cap) for name, size in sizes.items()}


def _round(value: float, rng: Random) -> int:
    """Up or down by chance, so that the mean stays."""
    whole = int(value)
    return whole + (rng.random() < value - whole)
