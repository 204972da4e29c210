"""Where a suggestion ends: with its line, or with its block."""

import re
from dataclasses import dataclass, field, replace

from dcomplete.postprocess.brackets import frame, opened_kinds
from dcomplete.postprocess.lexing import CLOSERS, Mark, by_line, read
from dcomplete.postprocess.proposal import Proposal, Surroundings, leading
from dcomplete.types import Shape

_END_WORD = re.compile(r"(?:end|fi|done|esac|endif|endfor|endwhile|until|then|in)\b")
_GOES_ON = re.compile(r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|when)\b")
_OPENS = re.compile(r"(?:[{(\[:]|\b(?:do|then|else)|=>|->)\s*$")
# Such labels stand at the column of the header in Go, in the kernel's C and in LLVM's C++.
_LABEL = re.compile(
    r"(?:case\b.*|default|(?:public|private|protected)\b[\w ]*|[A-Za-z_]\w*(?=:$))\s*:"
)
_COMMENT = re.compile(r"#(?!\s*(?:if|ifdef|ifndef|else|elif|endif|define|include)\b)|//|--|/\*|\*")
_DIRECTIVE = re.compile(r"#\s*(?:if|ifdef|ifndef|else|elif|endif|define|undef|pragma|include)\b")


def keep_one_line(proposal: Proposal, around: Surroundings) -> Proposal:
    """A LINE suggestion is one line; a line with text behind the gap takes no second one.

    llama.vscode's updateSuggestion and Tabby's trimMultiLineInSingleLineMode. A text that starts on
    the next line keeps that one.
    """
    mid_line = bool(around.rest.strip()) and around.shape is not Shape.SPAN
    if around.shape is not Shape.LINE and not mid_line:
        return proposal
    if mid_line:
        return replace(proposal, text=proposal.text.partition("\n")[0])
    blank = len(proposal.text) - len(proposal.text.lstrip())
    end = proposal.text.find("\n", blank)
    return proposal if end < 0 else replace(proposal, text=proposal.text[:end])


def limit_block(proposal: Proposal, around: Surroundings) -> Proposal:
    """A BLOCK ends where the indentation goes below that of its first line.

    On a line with text the block must be indented deeper than that text's statement. One closing line
    is allowed, and ``} else {`` or ``else:`` go on (Tabby's limitScopeByIndentation), as do the labels
    of the ``{`` that the block is in. Lines inside strings and open parentheses may stand anywhere, and
    a comment belongs to the line below it.
    """
    if around.shape is not Shape.BLOCK or "\n" not in proposal.text:
        return proposal
    header, opens = _header(around)
    walk = _Walk(_limit(proposal.text, around), header, opens, opened_kinds(around))
    lines = proposal.text.split("\n")
    states = by_line(proposal.text, around.language, frame(around).inside)
    end = 0
    for number, (line, (inside, marks)) in enumerate(zip(lines, states, strict=True)):
        if number and line.strip() and not inside:
            verdict = walk.judge(line, around.width(leading(line)))
            if verdict == "stop":
                break
            if verdict == "wait":
                continue
            if verdict == "last":
                end = number + 1
                break
        walk.follow(marks)
        end = number + 1
    return replace(proposal, text="\n".join(lines[:end]))


@dataclass(slots=True)
class _Walk:
    limit: int
    header: int  # the indentation of the line that opened the block
    opens: bool  # that line ends in `{`
    kinds: list[str] = field(default_factory=list)
    depth: int = field(init=False)  # of the brackets that the proposal did not open

    def __post_init__(self) -> None:
        self.depth = len(self.kinds)

    def judge(self, line: str, width: int) -> str:
        """Whether a line may "stay", must "stop", is the "last" or must "wait" for what follows."""
        text = line.strip()
        if width >= self.limit or (self.kinds and self.kinds[-1] in "(["):
            return "stay"
        if _DIRECTIVE.match(text):
            return "stay"
        if _COMMENT.match(text):
            return "wait"
        if self.opens and width == self.header and self.kinds[-1:] == ["{"] and _LABEL.match(text):
            return "stay"
        if text[0] in CLOSERS:
            if self.opens and len(self.kinds) > self.depth:
                return "stay"  # of a label that has braces
            closes = CLOSERS[text[0]] in self.kinds
            return "stop" if not closes else "stay" if _OPENS.search(text) else "last"
        if _END_WORD.match(text) and width == self.header:
            return "stay" if _OPENS.search(text) else "last"
        return "stay" if _GOES_ON.match(text) and width == self.header else "stop"

    def follow(self, marks: list[Mark]) -> None:
        for mark in marks:
            if mark.opens:
                self.kinds.append(mark.kind)
            elif mark.kind in self.kinds:
                while self.kinds.pop() != mark.kind:
                    pass


def _limit(text: str, around: Surroundings) -> int:
    if around.line.strip():
        return _statement_indent(around) + 1
    first = text.partition("\n")[0]
    if first.strip():
        return around.width(leading(around.line + first))
    if around.line:
        return around.width(around.line)
    return around.width(leading(text.lstrip("\n")))


def _statement_indent(around: Surroundings) -> int:
    """The indentation of the statement that the gap's line ends: its head may be lines above."""
    lines = around.prefix.split("\n")[-60:]
    depth = 0
    for number in range(len(lines) - 1, -1, -1):
        marks, _ = read(lines[number] + "\n", around.language)
        head = len(lines[number]) - len(
            lines[number].lstrip(" \t)]}")
        )  # closers that lead stand there
        for mark in (m for m in reversed(marks) if m.kind in ("(", "[") and m.start >= head):
            depth += -1 if mark.opens and depth else 0 if mark.opens else 1
        joined = number > 0 and lines[number - 1].endswith("\\")
        if depth <= 0 and not joined and lines[number].strip():
            return around.width(leading(lines[number]))
    return around.width(leading(around.line))


def _header(around: Surroundings) -> tuple[int, bool]:
    """The nearest line above that is less indented than the gap's line: where, and whether with `{`."""
    if around.line.strip():
        return _statement_indent(around), around.line.rstrip().endswith("{")
    here = around.width(around.line)
    for line in reversed(around.prefix.split("\n")[-200:-1]):
        if line.strip() and around.width(leading(line)) < here:
            return around.width(leading(line)), line.rstrip().endswith("{")
    return -1, False
