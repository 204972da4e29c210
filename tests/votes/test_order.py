"""Orders are balanced, and nobody can foresee them."""

import random

from dcomplete.votes.order import first_is_first


def test_the_coin_balances_orders_better_than_chance_and_cannot_be_foreseen():
    chance = random.Random(0)
    before = after = guessed = worst = 0
    for _ in range(4000):
        guess = before <= after  # the best guess of someone who knows what was shown so far
        came = first_is_first(before, after, chance)
        guessed += guess is came
        before, after = before + came, after + (not came)
        worst = max(worst, abs(before - after))
    assert worst <= 14  # a fair coin strays by the square root of 4000, which is 63
    assert guessed / 4000 < 0.66  # taking turns would be guessed always
