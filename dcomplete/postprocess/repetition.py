"""A model that goes round in circles."""

import re
from dataclasses import replace

from dcomplete.errors import Reason, Refusal
from dcomplete.postprocess.proposal import Proposal, Surroundings

COPIES = 3  # a block of lines may follow itself this often (Continue)
LINES = 8  # the longest block that is looked for
# Numbers, their placeholders and empty values: many of them make a table, no loop.
_VALUE = re.compile(
    r"\b(?:0[xX][\da-fA-F_]+[uUlL]*|0[bBoO][\d_]+|\d[\d_.]*(?:[eE][-+]?\d+)?[fFuUlLdDjJ]*)\b|%[-+\d.]*[a-z]"
    r"|\{\}|\b(?:None|null|nil|NULL|nullptr|true|false|True|False|NaN|nan)\b"
)
_CUT_OFF = re.compile(r"^[\w.%]+|[\w.%]+$")
_REACH = 480  # characters that a loop and what follows it may take at the most
_LOOP = re.compile(r"([^\n]{3,60}?)\1{6,}.{0,59}$")


def stop_repeated_lines(proposal: Proposal, around: Surroundings) -> Proposal:
    """Keep the first of more than three like blocks of lines in a row.

    Continue's stopAtRepeatingLines, Tabby's removeRepetitiveLines and removeRepetitiveBlocks.
    """
    lines = proposal.text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    texts = [lines[number].strip() for number in filled]
    for length in range(1, LINES + 1):
        for start in range(len(texts) - length * (COPIES + 1) + 1):
            block = texts[start : start + length]
            if any(map(_says_something, block)) and all(
                texts[start + copy * length : start + (copy + 1) * length] == block
                for copy in range(1, COPIES + 1)
            ):
                end = filled[start + length - 1] + 1
                return replace(proposal, text="\n".join(lines[:end]))
    return proposal


def refuse_loops(proposal: Proposal, around: Surroundings) -> Proposal:
    """Drop a line that ends in the same letters seven times over, and what follows it.

    Tabby's removeLineEndsWithRepetition, Continue's extreme repetition. Rulers of signs and tables of
    numbers are no loops.
    """
    lines = proposal.text.split("\n")
    for number, line in enumerate(lines):
        loop = _LOOP.search(line.strip()[-_REACH:])
        if loop and _says_something(loop.group(1)):
            if not "".join(lines[:number]).strip():
                raise Refusal("The suggestion goes round in circles.", Reason.FILTERED)
            return replace(proposal, text="\n".join(lines[:number]))
    return proposal


def _says_something(piece: str) -> bool:
    """Whether a piece that is repeated has letters beside its values; it may start in one."""
    row = piece if re.fullmatch(r"\w+", piece) else _CUT_OFF.sub("", piece * 3)
    return any(char.isalpha() for char in _VALUE.sub("", row))
