"""Is there something to complete, and how much: the cheapest completion is none.

Every rule names the product or issue that it comes from. Rules that refuse are asked in order, then
rules that choose a shape; the first that fits decides.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from dcomplete.context.languages import Language, language_of
from dcomplete.context.syntax import in_comment, open_brackets, scan
from dcomplete.context.trees import Parsed
from dcomplete.document import Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.settings import Settings, TriggerSettings
from dcomplete.types import Shape

MOST_RIGHT = 8  # characters right of the cursor (llama.vim's `max_line_suffix`)

_NO_TEXT = ")]}>;,\"'`"  # closers, quotes and ends, which editors insert by themselves
_HEADER = re.compile(
    r"^\s*(?:[})]\s*)?(?:[\w.]+\s+)*?(?:def|class|if|elif|else|for|foreach|while|until|with|switch|match"
    r"|catch|except|case|when|function|fn|func|fun|impl|unless|using|try|synchronized|lock|constructor"
    r"|defp|defmacro|defmacrop|defguard|defdelegate)\b|^\s*#\s*define\b"
)
_FUNCTION = re.compile(r"\bfunction\b[^()]*\([^()]*\)$")  # `const f = function (a)`
_SHELL_FUNCTION = re.compile(r"^\s*[\w-]+\s*\(\)$")
# What stands at the start of a line in a class or an object is a header: `render()`.
_METHOD = re.compile(
    r"^\s*(?:(?:async|static|get|set|override|abstract)\s+)*\*?[\w$#~]+\s*\([^()]*\)$"
)
_MEMBERS = re.compile(
    r"\b(?:class|struct|interface|record)\b.*\{$|(?:[=(:,]|\b(?:return|default))\s*\{$"
)
_TAGGED = frozenset(
    {"html", "xml", "vue", "svelte", "javascript", "javascriptreact", "typescriptreact", "php"}
)
_CLOSING_TAGS = re.compile(r"\s*(?:</[\w.:-]*>)+")  # which editors insert by themselves, too
_TYPED_HEADER = re.compile(
    r"^\s*(?!(?:return|await|new|throw|delete|else|yield|goto)\b)[\w:<>\[\],.]+[\w:<>\[\],.*&\s]*"
    r"[\s*&]~?\w+\s*\("
)
_HEADER_LENGTH = 200  # characters that are searched
_REACH = 4000  # characters above the gap in which the line around it is looked for
_MARKDOWN = re.compile(r"^\s*(?:[-*+>#|]|\d+[.)]\s)")


@dataclass(frozen=True)
class Place:
    """The gap's line and its neighbours. Not slotted: what costs something is worked out once."""

    snapshot: Snapshot
    language: Language
    tree: Callable[[], Parsed | None]  # asked only where a rule needs it: parsing costs most

    @cached_property
    def parsed(self) -> Parsed | None:
        """The syntax of the document; None without one."""
        return self.tree()

    @cached_property
    def left(self) -> str:
        """The line's text left of the gap."""
        text, start = self.snapshot.text, self.snapshot.gap.start
        return text[text.rfind("\n", 0, start) + 1 : start]

    @cached_property
    def right(self) -> str:
        """The line's text right of the gap, without the line end."""
        text, end = self.snapshot.text, self.snapshot.gap.end
        stop = text.find("\n", end)
        return text[end : len(text) if stop < 0 else stop].rstrip("\r")

    @cached_property
    def above(self) -> str | None:
        """The line above; None on the first line."""
        first = self.snapshot.gap.start - len(self.left) - 1
        if first < 0:
            return None
        text = self.snapshot.text
        return text[text.rfind("\n", 0, first) + 1 : first].rstrip("\r")

    @cached_property
    def indent(self) -> str:
        """The indentation of the gap's line, as far as it stands left of the gap."""
        return self.left[: len(self.left) - len(self.left.lstrip(" \t"))]

    @cached_property
    def brackets(self) -> str:
        """Brackets that are open at the gap, outermost first."""
        return open_brackets(self.snapshot.text, self.snapshot.gap.start, self.language)

    @cached_property
    def string(self) -> bool:
        """Whether a string of this line is open at the gap."""
        return scan(self.left, self.language)[1] == "string"

    @cached_property
    def comment(self) -> bool:
        """Whether the gap is in a comment."""
        return in_comment(self.snapshot.text, self.snapshot.gap.start, self.language, self.parsed)

    @property
    def in_long_string(self) -> bool:
        """Whether the gap is within a string that the syntax knows: a docstring, say."""
        parsed, gap = self.parsed, self.snapshot.gap.start
        for node in parsed.around(gap) if parsed is not None else ():
            if "interpolation" in node.type or "substitution" in node.type:
                return False
            if "string" in node.type and parsed is not None:
                return node.start_byte < parsed.byte(gap) < node.end_byte
        return False

    @property
    def owner(self) -> str:
        """The nearest line above that is less indented, within reach; "" without one."""
        text, width = self.snapshot.text, self.width(self.left)
        start = self.snapshot.gap.start - len(self.left)
        for line in reversed(text[max(0, start - _REACH) : start].split("\n")[:-1]):
            if line.strip() and self.width(line) < width:
                return line.rstrip()
        return ""

    @cached_property
    def next_line(self) -> str | None:
        """The next line below that is not blank; None where there is none within reach."""
        text = self.snapshot.text
        start = text.find("\n", self.snapshot.gap.end)
        for line in text[start + 1 : start + 2000].split("\n") if start >= 0 else ():
            if line.strip():
                return line
        return None

    def width(self, line: str) -> int:
        """Columns of the indentation of `line`."""
        blank = line[: len(line) - len(line.lstrip(" \t"))]
        return len(blank.expandtabs(max(1, self.snapshot.tab_size)))

    @property
    def goes_deeper(self) -> bool:
        """Whether the code below already belongs to what the gap's line would open."""
        return self.next_line is not None and self.width(self.next_line) > self.width(self.indent)


Rule = Callable[[Place], str | None]


def word_follows(place: Place) -> str | None:
    """Never before or inside a word (Cody `shouldCancelBasedOnCurrentLine`)."""
    right = place.right[:1]
    return "The cursor is before a word." if right.isalnum() or right == "_" else None


def text_follows(place: Place) -> str | None:
    """Not with much text right of the cursor (llama.vim, llama.vscode `max_line_suffix`)."""
    tags = _CLOSING_TAGS.match(place.right) if place.language.name in _TAGGED else None
    right = place.right[tags.end() :] if tags else place.right
    counts = sum(1 for c in right if c not in _NO_TEXT and not c.isspace())
    return "Too much text follows on the line." if counts > MOST_RIGHT else None


def statement_ended(place: Place) -> str | None:
    """Not where a statement is complete (Cody `getInlineCompletions`).

    Cody looks at the last character only. Here an open bracket, a comment, a string, a header that
    still waits for its block (`if (x)`) and a blank behind a closer are no end.
    """
    left = place.left.rstrip()
    if not place.language.statements or not left.endswith((";", "}", ")", "]")):
        return None
    if left[-1] != ";" and left != place.left:
        return None
    if place.comment or place.string:
        return None
    if left[-1] in ")]" and place.right.strip():
        return None
    if place.brackets[-1:] in ("(", "[") or (left[-1] == ")" and _is_header(place, left)):
        return None
    return None if place.in_long_string else "The statement is complete."


def _is_header(place: Place, left: str) -> bool:
    """Whether a line that ends in `)` begins what a block follows."""
    head, tail, language = left[:_HEADER_LENGTH], left[-_HEADER_LENGTH:], place.language
    if _HEADER.search(head) or _FUNCTION.search(tail):
        return True
    if language.typed_headers and _TYPED_HEADER.search(head):
        return True
    if language.name == "shellscript":
        return _SHELL_FUNCTION.search(head) is not None
    if place.brackets[-1:] != "{" or len(left) > _HEADER_LENGTH or not _METHOD.search(left):
        return False
    return _MEMBERS.search(place.owner[-_HEADER_LENGTH:]) is not None


def blank(place: Place) -> str | None:
    """Not in an empty place below an empty line (Cody `getInlineCompletions`)."""
    empty = not (place.left or place.right.strip() or (place.above or "").strip())
    return "There is nothing around the cursor." if empty else None


AUTOMATIC_RULES: tuple[tuple[Reason, Rule], ...] = (
    (Reason.WORD_FOLLOWS, word_follows),
    (Reason.TEXT_FOLLOWS, text_follows),
    (Reason.STATEMENT_ENDED, statement_ended),
    (Reason.BLANK, blank),
)


def check_allowed(snapshot: Snapshot, settings: Settings, hidden: str | None) -> None:
    """Raise Refusal where the person or the file forbids suggestions, asked for or not.

    Sources: Copilot's `enable` per language, Zed's `disabled_globs`, vscode 335397 (`.env`).
    """
    if not settings.enabled:
        raise Refusal("dcomplete is switched off.", Reason.DISABLED)
    if snapshot.automatic and not settings.trigger.automatic:
        raise Refusal("Suggestions come only when asked for.", Reason.DISABLED)
    name = snapshot.language or language_of("", snapshot.uri).name
    if not settings.trigger.enabled(name):
        raise Refusal(f"dcomplete is switched off for {name}.", Reason.DISABLED)
    if hidden is not None:
        raise Refusal(hidden, Reason.PRIVATE)
    most = settings.context.max_file_bytes
    size = len(snapshot.text)
    if size <= most < 4 * size and not snapshot.text.isascii():
        size = len(snapshot.text.encode("utf-8", "replace"))
    if size > most:
        raise Refusal(f"The file is larger than {most} bytes.", Reason.TOO_LARGE)


def decide(place: Place, settings: TriggerSettings) -> tuple[Shape, str]:
    """The shape of the gap and why; raises Refusal where an automatic suggestion would disturb."""
    if place.snapshot.automatic:
        for reason, rule in AUTOMATIC_RULES:
            message = rule(place)
            if message is not None:
                raise Refusal(message, reason)
        if not settings.comments and place.comment:
            raise Refusal("Suggestions in comments are switched off.", Reason.DISABLED)
    return choose(place, settings.multiline)


def choose(place: Place, multiline: str) -> tuple[Shape, str]:
    """LINE, BLOCK or SPAN.

    Blocks as in Tabby and Cody: at a block's start or in an empty one, unless the next line is deeper,
    never inside a call, never with text to the right (all products). Comments and markdown's lists,
    quotes and headings stay on the line (Continue's `multilineCompletions: auto`).
    """
    if place.snapshot.gap.start != place.snapshot.gap.end:
        return Shape.SPAN, "a span is replaced"
    if place.right.strip():
        return Shape.LINE, "text follows on the line"
    if multiline == "never":
        return Shape.LINE, "several lines are switched off"
    if multiline == "always":
        return Shape.BLOCK, "several lines are always wanted"
    return _automatic_shape(place)


def _automatic_shape(place: Place) -> tuple[Shape, str]:
    code = place.left.strip()
    if place.language.name == "markdown":
        held = _MARKDOWN.search(place.left)
        return Shape.LINE, "a list, quote or heading" if held else "prose"
    if place.goes_deeper:
        return Shape.LINE, "the block has its lines already"
    if code:
        if _open_call(place):
            return Shape.LINE, "inside a call"
        if not place.language.opens_block(place.left):
            return Shape.LINE, "in the middle of a line"
        return (
            (Shape.LINE, "a comment") if place.comment else (Shape.BLOCK, "after a block's opening")
        )
    if place.left:
        return Shape.BLOCK, "an empty, indented line"
    if place.above and place.language.opens_block(place.above):
        return Shape.BLOCK, "below a block's opening"
    return Shape.LINE, "the start of a line"


def _open_call(place: Place) -> bool:
    """Whether a parenthesis of this line is open, or, where `:` opens blocks, any bracket."""
    of_line = open_brackets(place.left, len(place.left), place.language)
    if place.left.rstrip().endswith(("{", "[")):
        of_line = of_line[:-1]
    return "(" in of_line or (place.language.indented and of_line != "")
