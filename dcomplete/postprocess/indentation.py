"""Indentation: not twice, not a space too much, and made of what the document uses."""

import re
from dataclasses import replace
from math import gcd

from dcomplete.postprocess.brackets import frame
from dcomplete.postprocess.lexing import by_line
from dcomplete.postprocess.proposal import Proposal, Surroundings, filled_lines, leading
from dcomplete.types import Shape

_STARTS_STATEMENT = re.compile(r"[\w@\"'}\])$&*<]")
_ENDS_LINE = re.compile(r"[:;{}()\[\],>]$")
_ODD = re.compile(r"^(?:  )* (?![ *])\S", re.MULTILINE)  # an odd number of spaces
_OPENS = re.compile(r"(?:[:{(\[]|=>|->|\b(?:do|then|else|begin))$")


def start_new_line(proposal: Proposal, around: Surroundings) -> Proposal:
    """A text that starts with indentation behind a finished line belongs on the next one.

    A quirk of diffusion models: Continue prepends the line end to Mercury's answers.
    """
    text, line = proposal.text, around.line.rstrip()
    space = leading(text)
    behind_text = line.strip() and not around.rest.strip() and around.shape is not Shape.SPAN
    if not behind_text or not space or not _STARTS_STATEMENT.match(text[len(space) :]):
        return proposal
    width, here = around.width(space), around.width(leading(line))
    deeper = bool(_OPENS.search(line)) and width > here
    fits = width >= 2 and (deeper or width in (here, here + around.tab_size, here + _unit(around)))
    ends = _ENDS_LINE.search(line) or (around.shape is Shape.BLOCK and "\t" in space)
    if not fits or not ends or frame(around).inside:
        return proposal
    return replace(proposal, text="\n" + text)


def indent_once(proposal: Proposal, around: Surroundings) -> Proposal:
    """On a line of white space the prefix already holds the first line's indentation.

    llama.vim strips it from the answer, Tabby a single leading space (tabby#3361); copilot-cmp#11.
    It stays where it is meant: where the lines below stand as deep, or the line above opens a block.
    """
    text, space = proposal.text, leading(proposal.text)
    if around.line.strip() or not around.line or not space or not text.strip():
        return proposal
    if "\n" in text[: len(text) - len(text.lstrip())]:
        return proposal
    wanted = around.width(around.line + space)
    widths = [around.width(leading(line)) for line in text.split("\n")[1:] if line.strip()]
    above = next(iter(reversed(filled_lines(around.prefix[: -len(around.line)]))), "")
    header = around.width(leading(above))
    opens = bool(_OPENS.search(above)) and header < wanted and header >= around.width(around.line)
    if opens or (widths and min(widths) == wanted and wanted % _unit(around) == 0):
        return proposal
    return replace(proposal, text=text[len(space) :])


def use_document_indentation(proposal: Proposal, around: Surroundings) -> Proposal:
    """Leading tabs or spaces as the document has them (tabby#3263, #3782; cody#5581).

    The lines around the gap decide, then the editor's setting; Go has tabs. What mixes both is left
    alone, as are lines inside strings.
    """
    if "\n" not in proposal.text or around.language == "makefile":  # a recipe is what has a tab
        return proposal
    tabs = around.language == "go" or _uses_tabs(around)
    if tabs is None or ("\n\t" in proposal.text and "\n  " in proposal.text):
        return proposal
    lines = proposal.text.split("\n")
    states = list(by_line(proposal.text, around.language, frame(around).inside))
    spaces = [
        len(leading(line))
        for line, (inside, _) in zip(lines[1:], states[1:], strict=True)
        if line.startswith("  ") and "\t" not in leading(line) and not inside
    ]
    unit = min(gcd(*spaces), around.tab_size) if spaces else around.tab_size
    for number, (inside, _) in enumerate(states):
        space = leading(lines[number])
        if number == 0 or inside or not space:
            continue
        if not tabs:
            new = space.expandtabs(around.tab_size)
        elif "\t" in space or len(space) < 2:
            continue
        else:
            new = "\t" * (len(space) // max(2, unit)) + " " * (len(space) % max(2, unit))
        lines[number] = new + lines[number][len(space) :]
    return replace(proposal, text="\n".join(lines))


def drop_odd_space(proposal: Proposal, around: Surroundings) -> Proposal:
    """One space too many before every line goes (tabby#3361, vscode-copilot-release#12424)."""
    lines = proposal.text.split("\n")
    unit = _unit(around)
    near = around.prefix[-4000:] + around.suffix[:4000]
    known = _ODD.search(near) or "\t" in near + proposal.text
    if unit < 2 or known or len(leading(around.line)) % unit:
        return proposal
    states = list(by_line(proposal.text, around.language, frame(around).inside))
    depth, indented = 0, []
    for number, (line, (inside, marks)) in enumerate(zip(lines, states, strict=True)):
        if number and line.strip() and not inside and depth <= 0:
            indented.append(number)
        depth += sum((1 if mark.opens else -1) for mark in marks if mark.kind in ("(", "["))
    odd = [n for n in indented if len(leading(lines[n])) % unit == 1 and lines[n].strip()[0] != "*"]
    brackets = any(opener.kind in ("(", "[") for opener in frame(around).openers[-1:])
    if not odd or odd != indented or brackets:
        return proposal
    for number in range(1, len(lines)):
        if lines[number].startswith(" ") and not states[number][0]:
            lines[number] = lines[number][1:]
    return replace(proposal, text="\n".join(lines))


def _uses_tabs(around: Surroundings) -> bool | None:
    """Whether the document indents with tabs; None where it mixes them with spaces."""
    near = around.prefix[-4000:] + around.suffix[:4000]
    tabs = near.count("\n\t") + near.startswith("\t")
    spaces = near.count("\n  ") + near.startswith("  ")
    if tabs and spaces:
        return None
    return bool(tabs) if tabs or spaces else not around.insert_spaces


def _unit(around: Surroundings) -> int:
    """The columns of one level of indentation near the gap."""
    near = (around.prefix[-4000:] + "\n" + around.suffix[:4000]).split("\n")
    widths = {
        around.width(leading(line)) for line in near if line.strip() and line[:1] in (" ", "\t")
    }
    widths = {width for width in widths if width >= 2}
    if not widths:
        return around.tab_size
    smallest = min(widths)
    return smallest if all(w % smallest == 0 for w in widths) else gcd(smallest, around.tab_size)
