"""The ring of recent places: what enters, what leaves, what is offered."""

from dcomplete.context.recent import CHUNKS, LINES, Recent, Ring, cut
from dcomplete.context.source import Deadline
from dcomplete.context.trees import Edit
from dcomplete.context.workspace import Workspace
from dcomplete.document import Gap, Snapshot

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
