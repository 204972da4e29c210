"""Syntax trees as the published benchmarks read them: an error is an ERROR node, not a missing token."""

from collections.abc import Iterator

import tree_sitter

from dcomplete.context.languages import language_of
from dcomplete.context.trees import parse

Event = tuple[bool, str]  # whether a node is entered or left, and its type


def has_error(text: str, language: str) -> bool:
    """Whether the tree has an ERROR node. True too where there is no tree."""
    parsed = parse(text, language_of(language))
    if parsed is None:
        return True
    return parsed.root.has_error and any(
        n.type == "ERROR" for n, enters in _walk(parsed.root) if enters
    )


def events(text: str, language: str) -> list[Event] | None:
    """All nodes entered and left, in their order; None for text with an ERROR node other than ``;``."""
    parsed = parse(text, language_of(language))
    if parsed is None:
        return None
    found = []
    for node, enters in _walk(parsed.root):
        if node.type == "ERROR" and node.text != b";":
            return None
        found.append((enters, node.type))
    return found


def _walk(root: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, bool]]:
    """Every node twice: when it is entered and when it is left."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is None:
            return
        yield node, True
        if cursor.goto_first_child():
            continue
        yield node, False
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            if cursor.node is not None:
                yield cursor.node, False
