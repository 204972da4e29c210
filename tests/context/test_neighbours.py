"""Similar windows of other open documents."""

from dcomplete.context.neighbours import LINES, Neighbours, Windows
from dcomplete.context.source import Deadline
from dcomplete.context.workspace import Workspace
from dcomplete.document import Gap, Snapshot

FILLER = "".join(f"filler_{n} = nothing_{n}\n" for n in range(60))
LIKE = "def write_invoice(customer):\n    total = customer.total_price\n    return Invoice(total)\n"


def offered(
    workspace: Workspace, text: str = "invoice = write_invoice(customer.total_price"
) -> list:
    snapshot = Snapshot("untitled:main", "python", 1, text, Gap(len(text), len(text)))
    return Neighbours().snippets(snapshot, workspace, Deadline(1000, lambda: 0.0))


def test_the_window_that_shares_rare_names_is_found():
    workspace = Workspace()
    workspace.opened("untitled:a", "python", FILLER + LIKE + FILLER)
    workspace.opened("untitled:b", "python", FILLER)
    (snippet,) = offered(workspace)
    assert LIKE.strip() in snippet.text
    assert snippet.text.count("\n") < LINES
    assert snippet.path == "a" or snippet.path.endswith("a")


def test_other_languages_and_the_document_itself_are_left_out():
    workspace = Workspace()
    workspace.opened("untitled:a", "ruby", LIKE)
    workspace.opened("untitled:main", "python", LIKE)
    assert offered(workspace) == []


def test_a_changed_document_is_looked_at_again():
    workspace = Workspace()
    workspace.opened("untitled:a", "python", FILLER)
    assert offered(workspace) == []
    workspace.changed("untitled:a", LIKE)
    assert [snippet.text for snippet in offered(workspace)] == [LIKE.strip()]
    workspace.closed("untitled:a")
    assert offered(workspace) == []


def test_no_more_than_two_and_the_best_first():
    workspace = Workspace()
    for number in range(4):
        workspace.opened(f"untitled:{number}", "python", FILLER + LIKE[: 50 + 15 * number] + "\n")
    scores = [snippet.score for snippet in offered(workspace)]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_a_long_document_does_not_silence_the_others_and_is_read_on_at_the_next_request():
    workspace = Workspace()
    workspace.opened("untitled:a", "python", LIKE)
    workspace.opened("untitled:long", "python", FILLER * 10 + LIKE + FILLER)
    text = "invoice = write_invoice(customer.total_price"
    snapshot = Snapshot("untitled:main", "python", 1, text, Gap(len(text), len(text)))
    found = []
    for _ in range(12):
        now = iter(range(1000))
        deadline = Deadline(5000, lambda now=now: float(next(now)))  # a few looks at the clock
        snippets = Neighbours().snippets(snapshot, workspace, deadline)
        found.append({snippet.path for snippet in snippets})
    assert found[0] == {"a"}
    assert found[-1] == {"a", "long"}


def test_every_line_is_in_a_window():
    for count in (1, 5, 19, 20, 21, 39, 40, 41, 300):
        lines = [f"name_{n} = {n}" for n in range(count)]
        windows = Windows("\r\n".join(lines))
        while not windows.complete:
            windows.read_on()
        shown = {line for piece, _ in windows.pieces for line in piece.split("\n")}
        assert shown == (set(lines) if count > 2 else set())
