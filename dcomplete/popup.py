"""Suggestions behind the item that is selected in the editor's popup menu (`selectedCompletionInfo`)."""

from dataclasses import replace

from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.types import Suggestion

Item = tuple[int, int, str]  # start, end, text


def with_item(snapshot: Snapshot) -> tuple[Item | None, Snapshot]:
    """The snapshot as if the popup's selected item had been accepted.

    Raises Refusal if what is typed is no beginning of the item (VS Code's rule for
    `selectedCompletionInfo`: items must extend it and use its range).
    """
    item = snapshot.selected
    if item is None:
        return None, snapshot
    start, end, text = item
    if not text.startswith(snapshot.text[start:end]):
        raise Refusal("The selected item of the popup menu replaces what is typed.", Reason.POPUP)
    filled = snapshot.text[:start] + text + snapshot.text[end:]
    gap = Gap(start + len(text), start + len(text))
    return item, replace(snapshot, text=filled, gap=gap, selected=None)


def as_item(popup: Item | None, suggestion: Suggestion) -> Suggestion:
    """A suggestion made behind the popup's item, as one that replaces the item's range."""
    if popup is None:
        return suggestion
    start, end, text = popup
    beyond = suggestion.end - suggestion.start
    return replace(suggestion, text=text + suggestion.text, start=start, end=end + beyond)
