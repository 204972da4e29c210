"""The judge of what stays: a chosen answer that was soon deleted was no good one."""

from collections.abc import Sequence
from dataclasses import replace

from dcomplete.errors import UserError
from dcomplete.votes.store import VoteStore
from dcomplete.votes.types import CHECKS_S, Ballot

JUDGE = "kept"
SHARE = 0.5  # of the answer that must be left


def kept_ballots(store: VoteStore, after_s: int = 120, share: float = SHARE) -> list[Ballot]:
    """People's votes for one side that editors followed for `after_s` seconds.

    A vote stands where at least `share` of the answer was still there, else it counts as "neither".
    Votes on answers that were never put into a text say nothing and are left out.
    """
    if after_s not in CHECKS_S:
        known = ", ".join(map(str, CHECKS_S))
        raise UserError(f"Answers are looked at after {known} seconds, not after {after_s}.")
    return judged(store.ballots(), store.kept(after_s), share)


def judged(ballots: Sequence[Ballot], kept: dict[str, float], share: float) -> list[Ballot]:
    """The votes by what was kept of the answers, by pair."""
    found = []
    for ballot in ballots:
        if ballot.choice in ("first", "second") and ballot.id in kept:
            stands = kept[ballot.id] >= share
            found.append(ballot if stands else replace(ballot, choice="neither"))
    return found
