"""Leave out documents that repeat others, exactly or nearly (MinHash LSH, Broder 1997).

Two documents are near duplicates when their sets of five-token runs overlap by about 0.8 (Jaccard).
The first of a family stays, so the order of the documents decides, not chance.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from zlib import crc32

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH

from dcomplete.train.leaks import words

Sketch = npt.NDArray[np.uint32]
THRESHOLD = 0.8  # Jaccard similarity
RUN = 5  # tokens
PERMUTATIONS = 64
_SEED = 1


def fingerprint(text: str) -> tuple[bytes, Sketch]:
    """(digest of the text without its white space, MinHash values)."""
    digest = hashlib.blake2b("".join(text.split()).encode(), digest_size=16).digest()
    found = words(text)
    last = max(1, len(found) - RUN + 1)
    runs = {crc32(" ".join(found[at : at + RUN]).encode()) for at in range(last)}
    sketch = _blank().copy()
    sketch.update_batch(sorted(runs))
    return digest, sketch.digest()


@cache
def _blank() -> MinHash:
    """Copied for each text, since drawing the permutations anew is slow."""
    return MinHash(PERMUTATIONS, seed=_SEED, hashfunc=int)


def duplicates(prints: Sequence[tuple[bytes, Sketch]]) -> dict[int, str]:
    """Position -> ``exact duplicate`` or ``near duplicate`` of an earlier text that stays."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    seen: set[bytes] = set()
    kept: dict[int, Sketch] = {}
    found: dict[int, str] = {}
    for at, (digest, values) in enumerate(prints):
        if digest in seen:
            found[at] = "exact duplicate"
            continue
        seen.add(digest)
        sketch = _blank().copy()
        sketch.hashvalues = values
        if any(_similar(values, kept[other]) for other in index.query(sketch)):
            found[at] = "near duplicate"
            continue
        index.insert(at, sketch)
        kept[at] = values
    return found


def _similar(one: Sketch, other: Sketch) -> bool:
    return float(np.mean(one == other)) >= THRESHOLD
