"""Which of two answers is shown first: balanced in the long run, not to be foreseen in the short."""

import random

_FAVOUR = 2 / 3  # for the order that was had less often


def first_is_first(before: int, after: int, chance: random.Random) -> bool:
    """Whether to show the first of a pair first, after `before` times so and `after` times not.

    A biased coin (Efron 1971, Biometrika 58, 403-417, p = 2/3). Taking turns would tell a person
    who has seen the names of the last pair which is which in the next; a fair coin leaves few votes
    out of balance, which a position bias of 80 % turns into noise.
    """
    if before == after:
        return chance.random() < 0.5
    return (chance.random() < _FAVOUR) is (before < after)
