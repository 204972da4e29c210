"""The whole of `gather`: exact text around the gap, budgets, a context that stays put, no secrets."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dcomplete.context import Context, Edit, Workspace, errors_with, estimate, gather
from dcomplete.context.languages import LANGUAGES
from dcomplete.context.window import anchored
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.settings import ContextSettings, Settings
from dcomplete.types import Shape

LONG = Path(gather.__code__.co_filename).parent / "workspace.py"


def asked(
    text: str, at: int, uri: str = "untitled:a", language: str = "python", end: int | None = None
) -> Snapshot:
    return Snapshot(uri, language, 1, text, Gap(at, at if end is None else end), automatic=False)


def large_class(methods: int) -> str:
    head = (
        "import os\nfrom typing import Any\n\n\ndef outer_one(a: int) -> int:\n    return a\n\n\n"
    )
    body = "".join(
        f"    def method_{n}(self, value: int) -> Any:\n"
        f"        result_{n} = value + {n}\n        return result_{n}\n\n"
        for n in range(methods)
    )
    return f"{head}class Big:\n    def __init__(self) -> None:\n        self.a = 1\n\n{body}"


LETTERS = st.lists(
    st.one_of(
        st.sampled_from("ab1 \n\t(){}[]:;=\"'#/`,.<>-*"),
        st.sampled_from(["\r\n", "\r", "😀", "é", "\ud800", "\0", "\ufeff", "\u2028", "\x0c"]),
        st.characters(),
    ),
    max_size=120,
).map("".join)


@given(
    text=LETTERS,
    gap=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    language=st.sampled_from([*LANGUAGES, "", "unheard-of"]),
    automatic=st.booleans(),
    tokens=st.sampled_from([0, 4, 16, 64, 1024]),
    known=st.booleans(),
)
@hypothesis_settings(max_examples=200, deadline=None)
def test_any_text_gives_exact_surroundings_or_a_refusal(
    text, gap, language, automatic, tokens, known
):
    start, end = sorted(min(place, len(text)) for place in gap)
    snapshot = Snapshot("untitled:a", language, 1, text, Gap(start, end), automatic=automatic)
    workspace = Workspace()
    if known:
        workspace.opened("untitled:a", language, text)
    settings = Settings(context=ContextSettings(tokens=tokens))
    try:
        context = gather(snapshot, workspace, settings)
    except Refusal:
        assert automatic
        return
    prefix, _, suffix = snapshot.document.for_model()
    assert prefix.endswith(context.alone)
    assert context.alone.endswith(context.prefix)
    assert context.preamble or context.alone == context.prefix
    assert suffix.startswith(context.suffix)
    real = context.suffix[anchored(context.suffix, 0) :]
    assert estimate(real) <= max(1, tokens // 4)
    assert estimate(context.prefix) + estimate(context.preamble) <= max(1, tokens)
    assert estimate(context.alone) <= max(1, tokens)
    assert errors_with(snapshot, workspace, start, end, text[:3]) is None or language


def test_a_small_document_is_given_whole_with_plain_line_ends():
    text = "\ufeffimport os\r\n\r\ndef f():\r\n    \r\n\r\nx = 1\r\n"
    context = gather(asked(text, text.index("    \r") + 4), Workspace(), Settings())
    assert context == Context(
        alone="import os\n\ndef f():\n    ",
        prefix="import os\n\ndef f():\n    ",
        suffix="\n\nx = 1\n",
        preamble="",
        shape=Shape.BLOCK,
        why="an empty, indented line",
        indent="    ",
    )


def test_a_document_of_the_editor_gives_the_same_as_one_from_nowhere():
    text = large_class(60)
    at = text.index("return result_40")
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    assert gather(asked(text, at), workspace, Settings()) == gather(
        asked(text, at), Workspace(), Settings()
    )


@pytest.mark.parametrize("inserted", [")", '"])', "}\n", "\n        }", "\r\n    });\r\n}"])
def test_the_suffix_ends_where_it_did_before_the_editor_closed_something(inserted):
    text, tokens = large_class(60), 1024
    for at in range(text.index("return result_30"), text.index("return result_34"), 7):
        if text[at] in ")]}>\"'`;, \t\r\n":
            continue
        before = gather(asked(text, at), Workspace(), Settings()).suffix
        closed = text[:at] + inserted + text[at:]
        after = gather(asked(closed, at), Workspace(), Settings()).suffix
        assert after == inserted.replace("\r\n", "\n") + before
        assert estimate(before) <= tokens // 4


@pytest.mark.parametrize("tokens", [256, 1024, 2048])
def test_budgets_hold_and_are_used(tokens):
    text = large_class(400)
    at = text.index("return result_200")
    settings = Settings(context=ContextSettings(tokens=tokens))
    context = gather(asked(text, at), Workspace(), settings)
    before = estimate(context.prefix) + estimate(context.preamble)
    assert estimate(context.preamble) <= tokens // 3
    assert before <= tokens - tokens // 4
    assert estimate(context.suffix) <= tokens // 4
    assert before > tokens * 0.5
    alone = estimate(context.alone)
    assert estimate(context.prefix) < alone <= tokens - tokens // 4, "what the preamble takes"
    assert alone > tokens * 0.5
    assert estimate(context.suffix) > tokens * 0.15


def test_a_tokenizer_that_counts_more_is_obeyed():
    text = large_class(400)
    at = text.index("return result_200")
    context = gather(asked(text, at), Workspace(), Settings(), count=len)
    assert len(context.prefix) + len(context.preamble) <= 768
    assert len(context.suffix) <= 256
    assert text[:at].endswith(context.prefix)
    assert len(context.prefix) > 100


def test_the_outline_says_where_the_gap_is_and_what_is_called_there():
    text = large_class(100)
    text = text.replace("return result_90", "return outer_one(self.method_3(result_90))")
    at = text.index("return outer_one")
    context = gather(asked(text, at), Workspace(), Settings())
    lines = context.preamble.splitlines()
    assert "def outer_one(a: int) -> int: ..." in lines
    assert "from typing import Any" in lines
    assert "    def method_3(self, value: int) -> Any: ..." in lines
    assert lines.index("class Big:") < lines.index("    def method_3(self, value: int) -> Any: ...")
    assert lines[-1] == "    # ..."
    assert not context.prefix.startswith(" " * 5), "begins at a method, not in the middle of one"
    assert context.snippets[-1].source == "outline"


def test_typing_moves_nothing():
    text = large_class(100)
    at = text.index("return result_60")
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    typed = "if value > self.method_2(value):\n            return other(value)\n        for item:\n"
    starts, preambles, ends = [], [], []
    for letter in (typed * 2)[:200]:
        changed = text[:at] + letter + text[at:]
        workspace.changed("untitled:a", changed, [Edit(at, at, letter)])
        text, at = changed, at + 1
        context = gather(asked(text, at), workspace, Settings())
        starts.append((at - len(context.prefix), at - len(context.alone)))
        preambles.append(context.preamble)
        ends.append(context.suffix)
    assert len(set(starts)) <= 2
    assert len(set(preambles)) <= len(set(starts))
    assert len(set(ends)) == 1


def test_typing_moves_little_even_without_memory():
    text = large_class(100)
    at = text.index("return result_60")
    starts = []
    for letter in ["abc = " * 2] * 17:
        text, at = text[:at] + letter + text[at:], at + len(letter)
        context = gather(asked(text, at), Workspace(), Settings())
        starts.append(at - len(context.prefix))
    assert len(set(starts)) <= 3


def test_an_edit_above_the_prefix_shifts_it_without_a_change():
    text = large_class(100)
    at = text.index("return result_60")
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    first = gather(asked(text, at), workspace, Settings())
    changed = "import sys\n" + text
    workspace.changed("untitled:a", changed, [Edit(0, 0, "import sys\n")])
    second = gather(asked(changed, at + 11), workspace, Settings())
    assert second == first


def test_far_away_or_after_a_pause_the_choice_is_made_anew():
    text = large_class(100)
    workspace = Workspace()
    workspace.opened("untitled:a", "python", text)
    gather(asked(text, text.index("return result_60")), workspace, Settings())
    kept = workspace.documents["untitled:a"].kept
    gather(asked(text, text.index("return result_61")), workspace, Settings())
    assert workspace.documents["untitled:a"].kept is kept
    gather(asked(text, text.index("return result_80")), workspace, Settings())
    assert workspace.documents["untitled:a"].kept is not kept
    workspace.refresh("untitled:a")
    assert workspace.documents["untitled:a"].kept is None


def test_a_text_that_the_workspace_does_not_have_yet_is_fine():
    workspace = Workspace()
    workspace.opened("untitled:a", "python", "x = 1\n")
    context = gather(asked("y = 22\n", 4), workspace, Settings())
    assert (context.prefix, context.suffix) == ("y = ", "22\n")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A workspace full of secrets that share every name with the document."""
    secret = "def open_account(name):\n    token = 'PLANTED'\n    return connect(name, token)\n" * 5
    for name in (".env", "secrets.py", "credentials.py", "ignored.py", "hidden.py"):
        (tmp_path / name).write_text(secret, encoding="utf-8", newline="\n")
    with suppress(OSError):  # Windows asks for a right to
        (tmp_path / "link.py").symlink_to(tmp_path / ".env")
    (tmp_path / ".gitignore").write_text("ignored.py\n", encoding="utf-8", newline="\n")
    (tmp_path / ".dcompleteignore").write_text("hidden.py\n", encoding="utf-8", newline="\n")
    return tmp_path


def test_planted_secrets_never_appear(planted):
    text = (
        "from secrets import open_account\nfrom link import open_account\n"
        "from ignored import open_account\nfrom hidden import open_account\n"
        "from credentials import open_account\n\n"
        "def main(name):\n    token = open_account(name)\n    return connect(name, token)\n    "
    )
    (planted / "main.py").write_text(text, encoding="utf-8", newline="\n")
    workspace = Workspace([planted])
    for path in planted.iterdir():
        workspace.opened(path.as_uri(), "python", path.read_text("utf-8"))
        workspace.focused(path.as_uri(), 0)
    uri = (planted / "main.py").as_uri()
    context = gather(asked(text, len(text), uri), workspace, Settings())
    assert "PLANTED" not in repr(context)
    assert not {s.path for s in context.snippets} & {p.name for p in planted.glob("*.py")}
    for name in (".env", "hidden.py", *(["link.py"] if (planted / "link.py").exists() else [])):
        with pytest.raises(Refusal) as refusal:
            gather(asked("x = ", 4, (planted / name).as_uri()), workspace, Settings())
        assert refusal.value.reason == Reason.PRIVATE
    assert gather(asked("x = ", 4, (planted / "ignored.py").as_uri()), workspace, Settings())


def test_what_is_not_hidden_does_appear(planted):
    """The twin of the test above: the same text under an ordinary name is found."""
    (planted / "plain.py").write_text(
        (planted / "secrets.py").read_text("utf-8"), encoding="utf-8", newline="\n"
    )
    text = "from plain import open_account\n\ntoken = open_account("
    uri = (planted / "main.py").as_uri()
    workspace = Workspace([planted], clock=lambda: 0.0)
    context = gather(asked(text, len(text), uri), workspace, Settings())
    assert context.preamble == "# plain.py\n# def open_account(name): ...\n"
    without = Settings(context=ContextSettings(snippets=False))
    assert gather(asked(text, len(text), uri), workspace, without).preamble == ""


@pytest.mark.parametrize(
    ("text", "added", "errors"),
    [("x = f(", "1)", 0), ("x = f(", "1", 1), ("x = (1)\n", "y = 2", 0), ("a\n", "😀😀 = (", 1)],
)
def test_the_candidate_that_parses_has_fewer_errors(text, added, errors):
    found = errors_with(asked(text, len(text)), Workspace(), len(text), len(text), added)
    assert found is not None
    assert (found > 0) == bool(errors)


def test_without_a_grammar_there_is_no_count_of_errors():
    snapshot = asked("x = (", 5, language="perl")
    assert errors_with(snapshot, Workspace(), 5, 5, ")") is None


def test_errors_far_away_do_not_count():
    text = "x = = 1\n" + "y = 1\n" * 1000
    assert errors_with(asked(text, len(text)), Workspace(), len(text), len(text), "z = 1") == 0
