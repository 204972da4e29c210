"""Ends that say nothing, and suggestions that are not worth a look."""

from dataclasses import replace

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess.proposal import Proposal, Surroundings
from dcomplete.types import Shape


def trim_end(proposal: Proposal, around: Surroundings) -> Proposal:
    """No trailing white space or blank lines; before text, one space stays one (Tabby's trimSpace)."""
    rest = around.rest[proposal.after :]
    if not rest.strip():
        return replace(proposal, text=proposal.text.rstrip())
    text = proposal.text.rstrip("\n")
    return replace(proposal, text=text.rstrip(" \t") if rest[0] in " \t" else text)


def refuse_empty(proposal: Proposal, around: Surroundings) -> Proposal:
    """White space is no suggestion (Cody, Tabby)."""
    if not proposal.text.strip():
        raise Refusal("The suggestion is empty.", Reason.NOTHING)
    return proposal


def refuse_low_value(proposal: Proposal, around: Surroundings) -> Proposal:
    """No lone sign that follows anyhow, and no span that stays as it is.

    Cody drops texts of one character and Tabby of three; a missing digit or name is one character
    too, so only signs are dropped, and only where the suffix has them.
    """
    text = proposal.text.strip()
    if around.shape is Shape.SPAN and proposal.text == around.replaced:
        raise Refusal("The suggestion changes nothing.", Reason.FILTERED)
    follows = around.suffix[proposal.after :].lstrip().startswith(text)
    if follows and text in (";", ",", ":"):
        raise Refusal("What is suggested follows already.", Reason.FILTERED)
    return proposal
