"""Examples that can be learnt, and the rows that noise makes of them."""

import numpy as np

from dcomplete.train.base import TINY_SPECIALS
from dcomplete.train.noise import NoiseConfig, make_row
from dcomplete.train.shards import Example

S = TINY_SPECIALS


def example(middle: int = 5, prefix: int = 9, suffix: int = 4, seed: int = 0) -> Example:
    start = int(np.random.default_rng(seed).integers(0, 40))
    ids = 10 + (start + np.arange(prefix + suffix + middle)) % 40  # something that can be learnt
    return Example(ids[:suffix], ids[suffix : suffix + prefix], ids[suffix + prefix :], 0)


def row(middle: int = 5, seed: int = 0, cap: float = 1.0, **noise):
    return make_row(example(middle), S, NoiseConfig(**noise), cap, np.random.default_rng(seed))
