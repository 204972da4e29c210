"""The workspace follows the editor: texts, trees, edits that do not add up, choices that are kept."""

import subprocess
import sys

import pytest

from dcomplete.context import trees
from dcomplete.context import workspace as module
from dcomplete.context.trees import Edit
from dcomplete.context.workspace import Kept, Workspace
from dcomplete.settings import ContextSettings

URI = "untitled:a"


def opened(text: str = "x = 1\n") -> Workspace:
    workspace = Workspace()
    workspace.opened(URI, "python", text)
    return workspace


def kinds(workspace: Workspace) -> list[str]:
    tree = workspace.tree(URI)
    return [] if tree is None else [child.type for child in tree.root_node.children]


def test_the_tree_follows_the_edits():
    workspace = opened()
    assert kinds(workspace) == ["expression_statement"]
    text = "import é\nx = 1\n"
    workspace.changed(URI, text, [Edit(0, 0, "import é"), Edit(8, 8, "\n")])
    assert kinds(workspace) == ["import_statement", "expression_statement"]


@pytest.mark.parametrize("edits", [[], [Edit(0, 0, "wrong")], [Edit(900, 950, "")]])
def test_edits_that_do_not_lead_to_the_text_are_not_believed(edits):
    workspace = opened()
    workspace.tree(URI)
    workspace.changed(URI, "import a\n", edits)
    assert kinds(workspace) == ["import_statement"]


def test_a_change_of_an_unknown_document_opens_it():
    workspace = Workspace()
    workspace.changed("file:///w/a.py", "import a\n", [Edit(0, 0, "x")])
    tree = workspace.tree("file:///w/a.py")
    assert tree is not None and not tree.root_node.has_error


def test_unknown_and_closed_documents_have_no_tree():
    workspace = opened()
    workspace.closed(URI)
    workspace.closed("untitled:never")
    workspace.focused("untitled:never", 3)
    workspace.refresh("untitled:never")
    assert workspace.tree(URI) is None


def test_a_text_that_was_given_up_is_parsed_again_after_some_edits(monkeypatch):
    text = "x = 1\n" * 500
    workspace = opened(text)
    monkeypatch.setattr(trees, "PATIENCE", -1.0)
    monkeypatch.setattr(trees, "QUICK", 0)
    assert workspace.tree(URI) is None
    monkeypatch.undo()
    for _ in range(module.MOST_PENDING):
        text += "#"
        workspace.changed(URI, text, [Edit(len(text) - 1, len(text) - 1, "#")])
    assert workspace.tree(URI) is None
    workspace.changed(URI, text + "#", [Edit(len(text), len(text), "#")])
    assert workspace.tree(URI) is not None


def keep(workspace: Workspace) -> None:
    workspace.documents[URI].kept = Kept(60, 50, 40, "", (), ())


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Edit(70, 71, "more"), (60, 50, 40)),
        (Edit(0, 0, "more"), (64, 54, 44)),
        (Edit(0, 3, ""), (57, 47, 37)),
        (Edit(45, 47, "more"), (62, 52, 40)),
        (Edit(38, 40, ""), (58, 48, 38)),
        (Edit(38, 42, ""), None),
        (Edit(40, 55, ""), None),
    ],
)
def test_a_kept_choice_moves_with_the_text(edit, expected):
    text = "x = 1\n" * 20
    workspace = opened(text)
    keep(workspace)
    workspace.changed(URI, edit.apply(text), [edit])
    kept = workspace.documents[URI].kept
    assert (None if kept is None else (kept.place, kept.start, kept.alone)) == expected


@pytest.mark.parametrize(
    "event",
    [
        lambda w: w.focused("untitled:b"),
        lambda w: w.opened("untitled:b", "python", ""),
        lambda w: w.changed("untitled:b", "y"),
        lambda w: w.refresh(URI),
        lambda w: w.changed(URI, "whole new text"),
        lambda w: w.set_folders([]),
        lambda w: w.set_settings(ContextSettings(tokens=5)),
    ],
)
def test_a_kept_choice_ends_when_something_else_happens(event):
    workspace = opened()
    keep(workspace)
    event(workspace)
    assert workspace.documents[URI].kept is None


def test_looking_at_the_same_document_ends_nothing():
    workspace = opened()
    keep(workspace)
    workspace.focused(URI, 0)
    assert workspace.documents[URI].kept is not None


FUZZ = """
import random, sys
from dcomplete.context import Edit, Workspace, errors_with, gather
from dcomplete.context.languages import LANGUAGES
from dcomplete.document import Gap, Snapshot
from dcomplete.settings import ContextSettings, Settings

source = random.Random(int(sys.argv[1]))
letters = list("ab1 \\n\\t(){}[]:;=\\"'#/`,.<>-*") + ["\\r\\n", "\\r", "\\0", "é", "😀", "\\ud800"]
for name in LANGUAGES:
    workspace = Workspace()
    text = "".join(source.choices(letters, k=250))
    workspace.opened("untitled:a", name, text)
    for _ in range(6):
        at = source.randint(0, len(text))
        edit = Edit(at, min(len(text), at + source.randint(0, 9)), "".join(source.choices(letters, k=5)))
        text = edit.apply(text)
        workspace.changed("untitled:a", text, [edit])
        snapshot = Snapshot("untitled:a", name, 1, text, Gap(at, at), automatic=False)
        workspace.refresh("untitled:a")
        gather(snapshot, workspace, Settings(context=ContextSettings(tokens=64)))
        errors_with(snapshot, workspace, at, at, "".join(source.choices(letters, k=9)))
"""


def test_no_text_crashes_the_process():
    """In a process of its own: the parser is native code, and a crash there ends the server."""
    run = subprocess.run(
        [sys.executable, "-c", FUZZ, "1"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
