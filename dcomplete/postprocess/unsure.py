"""The beginning of an answer whose rest was not sure enough to be shown."""

import re
from dataclasses import replace

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess.brackets import frame
from dcomplete.postprocess.lexing import PAIRS, read
from dcomplete.postprocess.proposal import Proposal, Surroundings
from dcomplete.types import Shape

_STRING_PREFIX = re.compile(r"(?<![\w$])(?:[A-Za-z]{1,2}8?#*|[$@#]+)$")  # f, rb, u8, r#, $, @
_LEAST = 3  # characters that are worth a look where more is to come


def drop_last_opener(proposal: Proposal, around: Surroundings) -> Proposal:
    """It does not end with an opening bracket or quote.

    Who types one has it closed by the editor; what is inserted is not.
    """
    text = proposal.text
    while around.unsure:
        marks = read(text, around.language, frame(around).inside)[0]
        shorter = text.rstrip()
        if not marks or not marks[-1].opens or marks[-1].end != len(shorter):
            break
        text = shorter[: marks[-1].start]
        if marks[-1].kind not in PAIRS:
            text = _STRING_PREFIX.sub("", text)
    return replace(proposal, text=text)


def refuse_short_beginning(proposal: Proposal, around: Surroundings) -> Proposal:
    """A sign or two are sooner typed than read, and what replaces a span is all of it or nothing."""
    short = len(proposal.text.strip()) < _LEAST
    if around.unsure and (short or around.shape is Shape.SPAN):
        raise Refusal("The model is not sure enough to suggest more.", Reason.UNSURE)
    return proposal
