"""The syntax nodes of a document that make good gaps, found with tree-sitter.

A grammar is any installed `tree-sitter-<language>` package. Node types are told apart by how their
names end, which grammars share: `if_statement`, `binary_expression`, `argument_list`, `block`.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

Span = tuple[int, int]
_ARGUMENTS = {"argument_list", "arguments", "parameters", "formal_parameters", "parameter_list"}
_BLOCKS = {"block", "statement_block", "compound_statement", "class_body", "declaration_list"}
_FUNCTIONS = ("function_definition", "function_declaration", "method_definition", "function_item",
              "method_declaration", "arrow_function", "function_expression")  # fmt: skip
_EXPRESSIONS = {
    "call", "attribute", "subscript", "binary_operator", "boolean_operator", "comparison_operator",
    "unary_operator", "not_operator", "lambda", "list", "dictionary", "set", "tuple", "string",
    "list_comprehension", "dictionary_comprehension", "generator_expression", "keyword_argument",
    "object", "array", "template_string", "identifier", "type",
}  # fmt: skip
_STATEMENTS = ("_statement", "_declaration", "_definition")
_STRINGS = {"string", "template_string", "comment", "block_comment", "string_literal"}
_PLAIN = {"identifier", "type"}  # everywhere: only some of them are taken
_MAX_BYTES = 100_000


@dataclass(slots=True)
class Nodes:
    """Character spans by kind of gap; `strings` are those over several lines, sorted."""

    known: bool
    spans: dict[str, list[Span]] = field(default_factory=dict)
    strings: list[Span] = field(default_factory=list)


def nodes_of(text: str, language: str, longest: int) -> Nodes:
    """The nodes of at most `longest` characters; `known` is false without a grammar."""
    parser = _parser(language)
    data = text.encode()
    if parser is None or len(data) > _MAX_BYTES:
        return Nodes(known=False)
    names = ("EXPRESSION", "ARGUMENTS", "STATEMENT", "BLOCK", "BODY")
    nodes = Nodes(known=True, spans={name: [] for name in names})
    _collect(parser.parse(data), nodes, longest)
    if len(data) != len(text):
        _to_characters(nodes, text)
    return nodes


def _collect(tree: Any, nodes: Nodes, longest: int) -> None:
    """Walk all named nodes; byte offsets."""
    cursor = tree.walk()
    parents = [""]
    plain = 0
    while True:
        node = cursor.node
        name, start, end = node.type, node.start_byte, node.end_byte
        if node.is_named and start < end:
            plain += name in _PLAIN
            kind = _kind(name, parents[-1])
            if kind and end - start <= longest and (name not in _PLAIN or plain % 6 == 0):
                nodes.spans[kind].append((start, end))
            if name in _STRINGS and node.start_point[0] != node.end_point[0]:
                nodes.strings.append((start, end))
        if name not in _STRINGS and cursor.goto_first_child():
            parents.append(name)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            parents.pop()


def _kind(name: str, parent: str) -> str | None:
    if name in _ARGUMENTS:
        return "ARGUMENTS"
    if name in _BLOCKS:
        return "BODY" if parent in _FUNCTIONS else "BLOCK"
    if name in _EXPRESSIONS or (name.endswith("_expression") and not name.startswith("ERROR")):
        return "EXPRESSION"
    return "STATEMENT" if name.endswith(_STATEMENTS) else None


def _to_characters(nodes: Nodes, text: str) -> None:
    """Turn byte offsets to character offsets, in place."""
    at, wide = 0, []  # (byte offset behind each wide character, bytes saved till there)
    saved = 0
    for char in text:
        size = len(char.encode())
        at += size
        if size > 1:
            saved += size - 1
            wide.append((at, saved))
    ends = [w[0] for w in wide]

    def character(byte: int) -> int:
        before = bisect_right(ends, byte)
        return byte - (wide[before - 1][1] if before else 0)

    for name, spans in nodes.spans.items():
        nodes.spans[name] = [(character(a), character(b)) for a, b in spans]
    nodes.strings[:] = [(character(a), character(b)) for a, b in nodes.strings]


@cache
def _parser(language: str) -> Any | None:
    """A parser, or None where tree-sitter or the grammar is not installed."""
    module = {"tsx": "typescript", "csharp": "c_sharp"}.get(language, language)
    maker = {"typescript": "language_typescript", "tsx": "language_tsx", "php": "language_php"}
    try:
        tree_sitter = import_module("tree_sitter")
        grammar = import_module(f"tree_sitter_{module}")
        make = getattr(grammar, maker.get(language, "language"))
        return tree_sitter.Parser(tree_sitter.Language(make()))
    except (ImportError, AttributeError, ValueError):
        return None
