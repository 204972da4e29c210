"""One example to one training row: context and clean middle (causal), then noisy canvases.

    <suffix> S <prefix> P <middle> clean | canvas 1 | canvas 2 | ...

The groups and segments are those of inference (`models.visibility`): the clean stream is shared and
rising; a canvas has a segment of its own and the group of the last context token, so it sees the
context and itself, never the clean middle. The shift is kept: the state before a token predicts it.
Masks come in complementary pairs (Fast-dLLM v2, arXiv 2509.26328), the filler counts as one token
(DreamOn), and one canvas is always fully masked, because that is where inference starts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dcomplete.engine.lengths import BUCKETS, LENGTH_BINS
from dcomplete.models.specials import Specials

IGNORE = -100

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """How rows are made. Rates are probabilities."""

    canvases: int = 4
    max_prefix: int = 1024  # tokens kept before the gap
    max_suffix: int = 512
    min_prefix: int = 0  # above 0, each row draws its most from here to max_prefix, log-uniformly
    min_suffix: int = 0
    prefix_first: float = 0.2
    longer: float = 0.35  # a canvas one bucket too long: the filler must be learnt
    shorter: float = 0.1  # a canvas that the middle overflows
    pinned: float = 0.15  # canvases with fixed text inside
    wrong: float = 0.05  # visible tokens replaced, to be corrected
    clean_weight: float = 0.5  # of the context's tokens in the causal stream
    middle_weight: float = 1.0  # of the gap's own tokens there
    end_weight: float = 1.0  # of the one token that says where a gap ends, in each stream
    context_share: float = 1.0  # of the context's tokens, those that the causal loss looks at


@dataclass(frozen=True, slots=True)
class Row:
    """One training row; arrays of shape [T]. targets are IGNORE where nothing is predicted."""

    ids: Ints
    positions: Ints
    groups: Ints
    segments: Ints
    targets: Ints
    weights: npt.NDArray[np.float32]
    middle_at: int  # index of <middle>, whose state the length head reads
    length_bin: int

    def __len__(self) -> int:
        return len(self.ids)


def length_bin(length: int) -> int:
    """The length head's class for a gap of `length` tokens."""
    return int(np.searchsorted(LENGTH_BINS, length, side="right")) - 1


def make_row(
    example: Any, specials: Specials, config: NoiseConfig, rate_cap: float, rng: np.random.Generator
) -> Row:
    """Add noise to an Example (arrays of suffix, other text, prefix and middle). `rate_cap` limits the mask
    rate of all but the fully masked canvas, which is left out while the cap is below 1 (warm-up)."""
    context = _context(example, specials, config, rng)
    middle = np.asarray(example.middle, np.int64)
    n, m = len(context), len(middle)
    fill = specials.fill
    assert fill is not None
    stream = np.concatenate([context, middle])
    targets = [np.concatenate([stream[1:], [fill]])]
    weights = [np.full(n + m, config.clean_weight, np.float32)]
    weights[0][: n - 1][rng.random(n - 1) >= config.context_share] = 0.0
    weights[0][n - 1 :] = config.middle_weight  # its first token is the canvas's as well
    weights[0][-1] = config.middle_weight * config.end_weight  # its end must be learnt
    ids, positions, groups = [stream], [np.arange(n + m)], [np.arange(n + m)]
    segments = [np.zeros(n + m, np.int64)]
    for number, (given, truth, loss) in enumerate(
        _canvases(middle, specials, config, rate_cap, rng)
    ):
        size = len(truth)
        ids.append(given)
        positions.append(np.arange(n, n + size))
        groups.append(np.full(size, n - 1))
        segments.append(np.full(size, number + 1))
        targets.append(np.append(np.where(loss[1:] > 0, truth[1:], IGNORE), IGNORE))
        weights.append(np.append(loss[1:], 0.0).astype(np.float32))
    joined = [
        np.concatenate(x).astype(np.int64) for x in (ids, positions, groups, segments, targets)
    ]
    return Row(
        ids=joined[0],
        positions=joined[1],
        groups=joined[2],
        segments=joined[3],
        targets=joined[4],
        weights=np.concatenate(weights).astype(np.float32),
        middle_at=n - 1,
        length_bin=length_bin(m),
    )


def _context(example: Any, s: Specials, config: NoiseConfig, rng: np.random.Generator) -> Ints:
    suffix = np.asarray(example.suffix, np.int64)[
        : _most(config.min_suffix, config.max_suffix, rng)
    ]
    most = _most(config.min_prefix, config.max_prefix, rng)
    if len(example.other):  # what it says was chosen for the whole prefix
        most = config.max_prefix
    prefix = np.concatenate([example.other, example.prefix[-most:]]).astype(np.int64)
    if rng.random() < config.prefix_first:
        parts = [[s.prefix], prefix, [s.suffix], suffix, [s.middle]]
    else:
        parts = [[s.suffix], suffix, [s.prefix], prefix, [s.middle]]
    return np.concatenate([np.asarray(p, np.int64) for p in parts])


def _most(low: int, high: int, rng: np.random.Generator) -> int:
    """Short contexts are cheap and must work as well; a few long ones teach the distances."""
    return high if low <= 0 else int(low * (high / low) ** rng.random())


def _canvases(
    middle: Ints, s: Specials, config: NoiseConfig, cap: float, rng: np.random.Generator
) -> list[tuple[Ints, Ints, npt.NDArray[np.float32]]]:
    """(what the model is given, what is true, loss weights), each [size], for every canvas."""
    out = []
    half = None
    for number in range(config.canvases):
        if number % 2 == 0 or half is None:  # a pair shares its truth
            truth, pinned = _truth(middle, s, config, rng)
            rate = min(cap, float(rng.random()))
            half = rng.random(len(truth)) < rate
            masked = np.ones(len(truth), bool) if number == 0 and cap >= 1.0 else half
        else:
            masked = ~half if cap >= 1.0 else rng.random(len(truth)) < min(cap, float(rng.random()))
        masked = masked & ~pinned
        out.append(_corrupt(truth, masked, pinned, s, config, rng))
    return out


def _truth(
    middle: Ints, s: Specials, config: NoiseConfig, rng: np.random.Generator
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """A canvas's true tokens with filler, and which of them are pinned."""
    m = len(middle)
    if m >= 3 and rng.random() < config.pinned:
        a, b = sorted(int(i) for i in rng.choice(np.arange(1, m + 1), 2, replace=False))
        pads = [np.full(int(rng.integers(0, 7)), s.fill, np.int64) for _ in range(2)]
        truth = np.concatenate([middle[:a], pads[0], middle[a:b], middle[b:], pads[1]])
        pinned = np.zeros(len(truth), bool)
        pinned[a + len(pads[0]) : b + len(pads[0])] = True
        return truth, pinned
    fits = [b for b in BUCKETS if b > m] or [BUCKETS[-1]]
    size = fits[0]
    draw = rng.random()
    if draw < config.longer and len(fits) > 1:
        size = fits[1 + int(rng.integers(0, min(2, len(fits) - 1)))]
    elif draw > 1 - config.shorter and size > BUCKETS[0]:
        size = max(b for b in BUCKETS if b < size)
    truth = np.concatenate([middle[:size], np.full(max(0, size - m), s.fill, np.int64)])
    return truth, np.zeros(size, bool)


def _corrupt(
    truth: Ints,
    masked: npt.NDArray[np.bool_],
    pinned: npt.NDArray[np.bool_],
    s: Specials,
    config: NoiseConfig,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
    given = np.where(masked, s.mask, truth)
    wrong = ~masked & ~pinned & (rng.random(len(truth)) < config.wrong)
    given[wrong] = rng.choice(truth, int(wrong.sum()))  # plausible: from the same gap
    loss = (masked | wrong).astype(np.float32)
    filler = (truth == s.fill) & (loss > 0)
    if filler.any():  # all filler of a canvas weighs as much as one token,
        loss[filler] = 1.0 / float(filler.sum())
        first = int(filler.argmax())
        if (
            truth[first - 1] != s.fill
        ):  # and its first one, which says where the gap ends, as another
            loss[first] = config.end_weight
    return given, truth, loss
