"""The ring of recent places: what enters, what leaves, what is offered."""

import pytest

from dcomplete.context import estimate, gather
from dcomplete.context.languages import language_of
from dcomplete.context.preamble import fit
from dcomplete.context.recent import CHUNKS, LINES, Recent, Ring, cut
from dcomplete.context.source import Deadline
from dcomplete.context.trees import Edit
from dcomplete.context.workspace import Workspace
from dcomplete.document import Gap, Snapshot
from dcomplete.settings import Settings

AUTHOR = (
    "def write_invoice(customer):\n    total = customer.total_price\n    return Invoice(total)\n"
)


def lines(name: str, count: int) -> str:
    return "".join(f"{name}_{n} = compute_{name}({n})\n" for n in range(count))


def offered(workspace: Workspace, text: str, uri: str = "untitled:main") -> list[str]:
    snapshot = Snapshot(uri, "python", 1, text, Gap(len(text), len(text)))
    found = Recent().snippets(snapshot, workspace, Deadline(1000, lambda: 0.0))
    return [snippet.text for snippet in found]


def test_a_place_that_was_left_is_offered_where_names_are_shared():
    workspace = Workspace()
    workspace.opened("untitled:a", "python", AUTHOR + lines("a", 10))
    workspace.opened("untitled:b", "python", lines("b", 80))
    workspace.focused("untitled:a", 1)
    workspace.focused("untitled:b", 3)
    workspace.focused("untitled:main", 0)
    assert offered(workspace, "invoice = write_invoice(customer)\n") == [AUTHOR + lines("a", 10)]
    assert offered(workspace, "something = different\n") == []


def test_an_edit_elsewhere_leaves_the_last_place_in_the_ring():
    text = AUTHOR + lines("a", 200)
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    for at in (5, len(text)):
        text = text[:at] + " " + text[at:]
        workspace.changed("untitled:a", text, [Edit(at, at, " ")])
    assert [chunk.text for chunk in workspace.recent.chunks] == [cut(text, 0)]


def test_typing_in_one_place_fills_nothing():
    text = lines("a", 100)
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    for _ in range(50):
        text = "x" + text
        workspace.changed("untitled:a", text, [Edit(0, 0, "x")])
    assert not workspace.recent.chunks


def test_the_ring_keeps_the_last_and_drops_what_is_much_alike():
    ring = Ring()
    for number in range(CHUNKS + 4):
        ring.add("untitled:a", lines(f"n{number}", 10))
    assert len(ring.chunks) == CHUNKS
    assert "n4_0" in ring.chunks[0].text
    ring.add("untitled:a", lines("n10", 10) + "one_more = line\n")
    assert len(ring.chunks) == CHUNKS
    assert sum("n10_0" in chunk.text for chunk in ring.chunks) == 1


def test_what_surrounds_the_gap_is_not_offered_again():
    workspace = Workspace()
    workspace.recent.add("untitled:a", AUTHOR)
    assert offered(workspace, "write_invoice(customer)\n") == [AUTHOR]
    assert offered(workspace, AUTHOR + "write_invoice(customer)\n") == []


def test_a_chunk_has_at_most_64_lines_around_its_place():
    text = lines("a", 200)
    assert cut(text, 100).split("\n")[LINES // 2] == "a_100 = compute_a(100)"
    assert cut(text, 0).count("\n") == LINES - 1
    assert cut("one\r\ntwo", 5) == "one\ntwo"


def edited(workspace: Workspace, text: str, line: int, new: str = "", gone: int = 0) -> str:
    """The text with `gone` lines less and a `new` one at `line`, of which the workspace knows."""
    start = sum(len(each) + 1 for each in text.split("\n")[:line])
    end = sum(len(each) + 1 for each in text.split("\n")[: line + gone])
    text = text[:start] + new + text[end:]
    workspace.changed("untitled:main", text, [Edit(start, end, new)])
    return text


def asked(text: str, line: int) -> Snapshot:
    at = sum(len(each) + 1 for each in text.split("\n")[:line])
    return Snapshot("untitled:main", "python", 1, text, Gap(at, at), automatic=False)


@pytest.mark.parametrize("line", [180, 200, 230, 290])
def test_what_the_window_of_the_same_document_shows_is_not_repeated(line):
    text = "".join(f"value_{n} = price_{n % 7} + total_{n % 11} * {n}\n" for n in range(600))
    workspace = Workspace(clock=lambda: 0.0)
    workspace.opened("untitled:main", "python", text)
    for visited in (200, 520, 300):
        text = edited(workspace, text, visited, f"value = price + total_{visited}\n")
    context = gather(asked(text, line), workspace, Settings())
    shown = {*context.prefix.split("\n"), *context.suffix.split("\n")} - {""}
    chunks = [s for s in context.snippets if s.source == "recent"]
    assert chunks
    assert all(shown.isdisjoint(chunk.text.split("\n")) for chunk in chunks)


def test_deleted_lines_do_not_come_back():
    text = "".join(f"value_{n} = price + total_{n // 3} * {n}\n" for n in range(600))
    workspace = Workspace()
    workspace.opened("untitled:main", "python", text)
    for visited in (200, 400):
        text = edited(workspace, text, visited, f"value = price + total_{visited}\n")
    text = edited(workspace, text, 400, "value = price + total\n")
    text = edited(workspace, text, 190, gone=12)
    text = edited(workspace, text, 400, "value = price\n")
    (snippet, *_) = Recent().snippets(asked(text, 400), workspace, Deadline(1000, lambda: 0.0))
    assert "value_180 " in snippet.text
    assert not any(f"value_{n} " in snippet.text for n in range(190, 201))


def test_the_visited_place_is_the_last_to_go():
    workspace = Workspace()
    text = lines("a", 30) + AUTHOR + lines("b", 100)
    workspace.opened("untitled:a", "python", text)
    workspace.opened("untitled:main", "python", "")
    workspace.focused("untitled:a", 31)
    workspace.focused("untitled:main", 0)
    text = "invoice = write_invoice(customer)\n"
    found = Recent().snippets(asked(text, 1), workspace, Deadline(1000, lambda: 0.0))
    shown, used = fit(found, language_of("python"), 120, estimate)
    assert "def write_invoice" in shown
    assert len(used) == 1


def test_a_very_long_document_costs_no_more_than_the_time_for_it():
    text = lines("value", 10_000)
    workspace = Workspace()
    workspace.opened("untitled:main", "python", text)
    workspace.recent.add("untitled:main", lines("value", 60))
    assert offered(workspace, text, "untitled:main") == []
