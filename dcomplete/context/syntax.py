"""Questions about the code at one place: is it a comment, what is open, does it still parse."""

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter

from dcomplete.context.languages import Language
from dcomplete.context.trees import Edit, Parsed, reparse

NEAR = 2000  # characters on either side of the gap in which errors count

_PAIRS = {")": "(", "]": "[", "}": "{"}
# A single quote there is a lifetime, part of a name or quotes a form; one letter between two is text.
_CHARS = frozenset(
    ["rust", "haskell", "clojure", "commonlisp", "emacs-lisp", "lisp", "racket", "scheme"]
)
_REACH = 4000  # characters that are read backwards for open brackets


def in_comment(text: str, offset: int, language: Language, parsed: Parsed | None) -> bool:
    """Whether a character typed at `offset` would belong to a comment."""
    start = text.rfind("\n", 0, offset) + 1
    of_line = scan(text[start:offset], language)[1]
    if parsed is None:
        return of_line == "comment"
    held = next((node for node in parsed.around(offset) if "comment" in node.type), None)
    if held is None or offset == 0 or parsed.byte(offset - 1) < held.start_byte:
        return False
    if of_line == "string" and held.start_byte >= parsed.byte(start):
        return False  # an unfinished string, which the grammar did not understand
    return not (held.end_byte == parsed.byte(offset) and _closed(parsed.text_of(held)))


def _closed(comment: str) -> bool:
    return comment.endswith(("*/", "-->", "]]")) or (
        comment.startswith("=begin") and comment.endswith("=end")
    )


def open_brackets(text: str, offset: int, language: Language) -> str:
    """The brackets that are open at `offset`, outermost first, as far as the near text tells."""
    start = max(0, offset - _REACH)
    start = text.find("\n", start, offset) + 1 if start else 0
    return scan(text[start:offset], language)[0]


def scan(code: str, language: Language) -> tuple[str, str]:
    """The brackets that `code` leaves open, and whether it ends in a "comment", "string" or neither."""
    stack: list[str] = []
    last = None
    for match in _tokens(language.comment, language.name in _CHARS).finditer(code):
        token = match.group()
        if token in "([{":
            stack.append(token)
        elif token in _PAIRS and _PAIRS[token] in stack:
            while stack.pop() != _PAIRS[token]:
                pass
        last = match
    if last is None or last.end() != len(code):
        return "".join(stack), ""
    token = last.group()
    if last.lastgroup == "comment" and not (token.startswith("/*") and token.endswith("*/")):
        return "".join(stack), "comment"
    is_open = last.lastgroup == "string" and (len(token) < 2 or token[-1] != token[0])
    return "".join(stack), "string" if is_open else ""


@cache
def _tokens(comment: str, chars: bool) -> re.Pattern[str]:
    line = f"{re.escape(comment)}[^\n]*|" if comment else ""
    single = r"(?<!\w)'(?:\\[^'\n]+|[^'\\\n]|\\')'" if chars else r"(?<!\w)'(?:\\.|[^'\\\n])*'?"
    string = r'"(?:\\.|[^"\\\n])*"?|' + single + r"|`(?:\\.|[^`\\])*`?"
    long = r'"""(?:.|\n)*?(?:"""|\Z)|' + r"'''(?:.|\n)*?(?:'''|\Z)"
    return re.compile(
        rf"(?P<comment>{line}/\*(?:.|\n)*?(?:\*/|\Z))|(?P<long>{long})|(?P<string>{string})"
        r"|[()\[\]{}]"
    )


def errors_after(parsed: Parsed, edit: Edit) -> int | None:
    """How many error and missing nodes stand near `edit` once it is made."""
    new = reparse(parsed, [edit])
    if new is None:
        return None
    first = new.byte(max(0, edit.start - NEAR))
    last = new.byte(min(len(new.text), edit.start + len(edit.text) + NEAR))
    return sum(1 for _ in _errors(new.root, first, last))


def _errors(node: tree_sitter.Node, first: int, last: int) -> Iterator[tree_sitter.Node]:
    pending = [node]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            yield node
        if node.has_error:
            pending.extend(c for c in node.children if c.end_byte >= first and c.start_byte <= last)
