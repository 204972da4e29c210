"""Text that the document already has: behind the gap, below it, above it, before it."""

import re
from dataclasses import replace

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess.proposal import Proposal, Surroundings, filled_lines
from dcomplete.types import Shape

# Words, and what is no bracket but closes
_TELLING = re.compile(r"\w\w|</|/>|\*/|-->|[%?]>|[*`]{2}")
_MOST = 0.85  # of a line that a lone beginning says: less may be the first of several like lines
_LONG_WORD = re.compile(r"\w{3}")


def drop_retyped_line(proposal: Proposal, around: Surroundings) -> Proposal:
    """Take off the line's own start where the model types it again.

    continue#1552 (``print(`` and ``print(x)``), minuet's trimming of the prefix's end,
    obsidian-github-copilot#106.
    """
    typed = around.line.strip()
    text = proposal.text.lstrip(" \t")
    if len(typed) < 4 or not _LONG_WORD.search(typed) or not text.startswith(typed):
        return proposal
    rest = text[len(typed) :]
    apart = around.line[-1:].isspace() or not rest[:1].isalnum()
    if typed[-1].isalnum() and apart:
        return proposal  # `match |` may well be followed by `match` again, `return |` by `returned`
    return replace(proposal, text=rest)


def cut_line_overlap(proposal: Proposal, around: Surroundings) -> Proposal:
    """Cut the end of the text where it repeats the rest of the line, or a telling start of it.

    llama.vim#71, continue#3001, blink.cmp#1767 (``other.astro`` before ``.astro';``).
    Brackets alone say nothing: `reuse_closers` counts those.
    """
    text, rest = proposal.text, around.rest.strip()
    if not rest or proposal.after:
        return proposal
    kept = text.rstrip()
    telling = bool(_TELLING.search(rest)) or rest in (";", ",", ":")
    if telling and kept.endswith(rest):
        cut = kept[: -len(rest)]
        return replace(proposal, text=cut.rstrip() if around.rest[0].isspace() else cut)
    for length in range(min(len(rest), len(kept)) - 1, 3, -1):
        start, follows = rest[:length], rest[length]
        ends_word = not (start[-1].isalnum() and (follows.isalnum() or follows == "_"))
        if ends_word and start[0] in "./\\-_" and _LONG_WORD.search(start) and kept.endswith(start):
            return replace(proposal, text=kept[:-length])
    return proposal


def cut_repeated_suffix(proposal: Proposal, around: Surroundings) -> Proposal:
    """Cut where the text goes on with the lines that stand below the gap.

    llama.vim's fim_render, Tabby's removeDuplicateSuffixLines (tabby#3392; ``end`` or ``fi``
    twice, tabby#586), Continue's similar line below, cody#264 and #811. Lines count as the same when
    they differ in white space, quotes or a last comma or semicolon only; any looser measure eats good
    answers in tables and assignments.
    """
    if around.rest.strip():
        return proposal
    below = filled_lines(around.below)[:40]
    lines = (around.line + proposal.text).split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for place in range(len(filled)):
        run = 0
        while place + run < len(filled) and run < len(below):
            last = place + run == len(filled) - 1
            share = 0.0 if run else _MOST if around.unsure else 1.0
            if not _same(lines[filled[place + run]], below[run], share if last else 1.0):
                break
            run += 1
        if not run or (filled[place] == 0 and not proposal.text.strip()):
            continue
        telling = sum(bool(_LONG_WORD.search(lines[filled[place + i]])) for i in range(run))
        if place + run == len(filled) or telling >= 3:
            if filled[place] == 0:
                raise Refusal("The suggestion repeats the lines below.", Reason.FILTERED)
            kept = "\n".join(lines[: filled[place]])[len(around.line) :]
            return replace(proposal, text=kept)
    return proposal


def _same(line: str, other: str, share: float = 1.0) -> bool:
    """Whether they say the same, or the first at least this share of the other from its beginning."""
    if len(other.split()) < 2:
        return line.rstrip() == other.rstrip()  # `}` and `try:` belong where they stand
    ours, theirs = _key(line), _key(other)
    enough = len(ours) >= max(8, share * len(theirs)) and share < 1
    return ours == theirs or (enough and theirs.startswith(ours))


def _key(line: str) -> str:
    return "".join(line.split()).replace("'", '"').rstrip(",;")


def refuse_line_above(proposal: Proposal, around: Surroundings) -> Proposal:
    """Refuse to write the line above once more, unless asked by hand.

    Continue's "rewrites line above"; cody#944, the same code again after it was accepted.
    """
    if not around.automatic or around.rest.strip() or around.shape is Shape.SPAN:
        return proposal
    lines = filled_lines(around.line + proposal.text)
    start = len(around.prefix) - len(around.line)
    if not around.line.strip() or not proposal.text.partition("\n")[0].strip():
        # The gap's line has no share in the first line: count it among the lines above.
        start = len(around.prefix) if around.line.strip() else start
        lines = filled_lines(around.line * (not around.line.strip()) + proposal.text)
    above = filled_lines(around.prefix[max(0, start - 4000) : start])
    if lines and above and lines[0] == above[-1] and len(lines[0].strip()) >= 12:
        raise Refusal("The suggestion repeats the line above.", Reason.FILTERED)
    if len(lines) > 1 and lines == above[-len(lines) :]:
        raise Refusal("The suggestion repeats the lines above.", Reason.FILTERED)
    return proposal
