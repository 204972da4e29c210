"""The same votes by another hand: evalica's Bradley-Terry, which knows no position and no prior."""

import math
from collections.abc import Sequence

from dcomplete.errors import UserError
from dcomplete.votes.types import Ballot, Choice


def evalica_strengths(ballots: Sequence[Ballot]) -> dict[str, float]:
    """Strengths in logits around 0 by evalica's minorise-maximise; ties are half a win for each.

    Agrees with `bradley_terry.Model(prior_sd=inf, position=False)` where everybody has won and lost.
    Raises UserError where evalica is not installed.
    """
    try:
        import evalica
    except ImportError:
        raise UserError("The cross-check needs evalica: pip install 'dcomplete[eval]'.") from None
    winners: dict[Choice, evalica.Winner] = {
        "first": evalica.Winner.X,
        "second": evalica.Winner.Y,
        "tie": evalica.Winner.Draw,
        "neither": evalica.Winner.Draw,
    }
    result = evalica.bradley_terry(
        [ballot.first for ballot in ballots],
        [ballot.second for ballot in ballots],
        [winners[ballot.choice] for ballot in ballots],
        tolerance=1e-12,
        limit=100_000,
    )
    scores = {str(name): float(score) for name, score in result.scores.to_dict().items()}
    logs = {name: math.log(score) if score > 0 else -math.inf for name, score in scores.items()}
    finite = [value for value in logs.values() if math.isfinite(value)]
    middle = math.fsum(finite) / max(len(finite), 1)
    return {name: value - middle for name, value in logs.items()}
