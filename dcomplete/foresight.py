"""Where the person is likely to be next, once a suggestion is accepted."""

from collections.abc import Iterator
from dataclasses import replace

from dcomplete.document import Gap, Snapshot
from dcomplete.types import Suggestion


def likely_next(snapshot: Snapshot, shown: Suggestion) -> Iterator[Snapshot]:
    """The document once `shown` is accepted; and once a line is opened behind that."""
    text = snapshot.text[: shown.start] + shown.text + snapshot.text[shown.end :]
    place = shown.start + len(shown.text)
    yield replace(snapshot, text=text, gap=Gap(place, place), automatic=True, selected=None)
    line = text[text.rfind("\n", 0, place) + 1 : place]
    if text[place : place + 1] in ("", "\n", "\r") and line.strip():
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if line.rstrip().endswith((":", "{")):
            indent += " " * snapshot.tab_size if snapshot.insert_spaces else "\t"
        opened = snapshot.document.eol + indent
        text = text[:place] + opened + text[place:]
        place += len(opened)
        yield replace(snapshot, text=text, gap=Gap(place, place), automatic=True, selected=None)
