"""All filters in their order, and the order of several proposals."""

from collections.abc import Callable, Sequence

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess.brackets import cut_open_string, reuse_closers, stop_at_extra_closer
from dcomplete.postprocess.duplicates import (
    cut_line_overlap,
    cut_repeated_suffix,
    drop_retyped_line,
    refuse_line_above,
)
from dcomplete.postprocess.indentation import (
    drop_odd_space,
    indent_once,
    start_new_line,
    use_document_indentation,
)
from dcomplete.postprocess.proposal import Filter, Proposal, Surroundings, clipped
from dcomplete.postprocess.raw import reuse_angle
from dcomplete.postprocess.repetition import refuse_loops, stop_repeated_lines
from dcomplete.postprocess.scope import keep_one_line, limit_block
from dcomplete.postprocess.sentinels import cut_sentinels
from dcomplete.postprocess.unsure import drop_last_opener, refuse_short_beginning
from dcomplete.postprocess.value import refuse_empty, refuse_low_value, trim_end

FILTERS: tuple[Filter, ...] = (
    cut_sentinels,
    refuse_empty,
    drop_retyped_line,
    start_new_line,
    indent_once,
    use_document_indentation,
    drop_odd_space,
    keep_one_line,
    cut_line_overlap,
    cut_open_string,
    reuse_closers,
    reuse_angle,
    stop_at_extra_closer,
    limit_block,
    cut_repeated_suffix,
    refuse_line_above,
    refuse_loops,
    stop_repeated_lines,
    drop_last_opener,
    trim_end,
    refuse_low_value,
    refuse_short_beginning,
)
ROUNDS = 8


def refine(text: str, around: Surroundings) -> Proposal:
    """The text as it should be shown; raises Refusal where it should not be.

    What one filter cuts may lay bare work for an earlier one, so the chain runs until nothing
    changes: refining a refined text gives it back.
    """
    if not text.strip():
        refuse_short_beginning(Proposal(text), around)
        raise Refusal("The model suggests nothing.", Reason.NOTHING)
    proposal, around = Proposal(text), clipped(around)
    for _ in range(ROUNDS):
        before = proposal.text
        proposal = Proposal(before)
        for mend in FILTERS:
            proposal = mend(proposal, around)
            if not proposal.text.strip():
                refuse_short_beginning(proposal, around)
                raise Refusal(f"Nothing is left after {_words(mend)}.", Reason.FILTERED)
        if proposal.text == before:
            break
    return proposal


def _words(mend: Filter) -> str:
    return str(getattr(mend, "__name__", "filtering")).replace("_", " ")


def rank(
    proposals: Sequence[tuple[Proposal, float]], errors: Callable[[Proposal], int | None]
) -> list[int]:
    """The places of the proposals, best first: fewest syntax errors, then the higher score.

    Cody's rankCompletions, with the model's score for its line count. `errors` counts the syntax
    errors once a proposal is inserted; where it gives None for any of them, scores alone decide.
    """
    counts = [errors(proposal) for proposal, _ in proposals]
    known = None not in counts
    return sorted(
        range(len(proposals)),
        key=lambda i: ((counts[i] or 0) if known else 0, -proposals[i][1], i),
    )
