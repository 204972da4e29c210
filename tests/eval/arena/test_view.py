"""A pair as it is seen, in a browser and in a terminal."""

import io
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dcomplete.votes.types import Side
from dcomplete_eval.arena.sitting import Revealed, Shown, Sitting
from dcomplete_eval.arena.terminal import Terminal, render, sentence
from dcomplete_eval.arena.view import lines, sides
from dcomplete_eval.types import Task
from tests.eval.arena.scripted import two


def shown(prefix="", suffix="", first="", second="", language="python") -> Shown:
    task = Task("t", "b", "g", prefix, suffix, "", language=language)
    return Shown("id", task, first, second)


def text_of(found) -> str:
    return "\n".join("".join(piece.text for piece in line.pieces) for line in found)


TEXT = st.text("ab# '\"\n\t(", max_size=30)


@given(TEXT, TEXT, TEXT, st.sampled_from(["python", "rust", "", "no-such-language"]))
def test_all_pieces_together_are_the_text_and_the_answer_is_marked(
    prefix, answer, suffix, language
):
    found = lines(shown(prefix, suffix, language=language), answer, 1000, 1000)
    assert text_of(found) == prefix + answer + suffix
    marked = "".join(p.text for line in found for p in line.pieces if p.answer)
    assert marked == answer.replace("\n", "")
    assert [line.number for line in found] == list(range(1, len(found) + 1))


def test_only_some_lines_around_the_gap_are_shown_with_their_numbers():
    prefix = "".join(f"a{n}\n" for n in range(1, 31)) + "x = "
    suffix = "\n" + "".join(f"b{n}\n" for n in range(1, 31))
    first, second = sides(shown(prefix, suffix, "f(\n\n)", "1"), 2, 3)
    assert text_of(first) == "a29\na30\nx = f(\n\n)\nb1\nb2\nb3"
    assert [line.number for line in first] == [29, 30, 31, 32, 33, 34, 35, 36]
    assert [line.answer for line in first] == [False, False, True, True, True, False, False, False]
    assert text_of(second) == "a29\na30\nx = 1\nb1\nb2\nb3"


def test_long_texts_keep_their_line_numbers():
    prefix = "0123456789\n" * 5000
    (before, last) = lines(shown(prefix), "x", 1, 0)
    assert (before.number, last.number) == (5000, 5001)


def test_colours_and_line_ends():
    found = lines(shown("def f():\r\n    # note\r\n    return ", "\r\n"), "'s' + 1", 9, 9)
    kinds = {piece.text.strip(): piece.kind for line in found for piece in line.pieces}
    assert (kinds["def"], kinds["f"], kinds["# note"]) == ("keyword", "name", "comment")
    assert (kinds["'s'"], kinds["1"]) == ("string", "number")
    assert "\r" not in text_of(found)


@pytest.mark.parametrize(("width", "beside"), [(80, False), (140, True)])
def test_the_terminal_shows_two_panels_without_names(width, beside):
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    console.print(render(shown("def f(x):\n    return ", "\n", "[b]x + 1", "y\n    + 2"), width))
    text = out.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "return [b]x + 1" in text, "an answer is no markup"
    assert any("First" in line and "Second" in line for line in text.splitlines()) is beside
    answer = next(line for line in text.splitlines() if "x + 1" in line)
    assert "▌" in answer, "the answer stands out without colours"


def test_a_sitting_in_a_terminal(tmp_path):
    keys = iter("x1?sTnq")
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=False)
    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        assert Terminal(console, sitting, lambda: next(keys)).run() == 3
        sitting.close()
        assert [ballot.choice for ballot in dealer.store.ballots()] == ["first", "tie", "neither"]
        assert all(ballot.after_ms is not None for ballot in dealer.store.ballots())
    text = out.getvalue()
    before = text[: text.index("You chose the first.")]
    assert "planted" not in before
    assert {"planted-one", "planted-other"} <= {word.strip("(),.") for word in text.split()}
    assert "3 votes" in text


def test_the_end_of_input_is_the_end(tmp_path):
    def read() -> str:
        raise EOFError

    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        assert Terminal(Console(file=io.StringIO()), sitting, read).run() == 0
        sitting.close()


def test_a_sitting_ends_after_the_votes_that_were_asked_for(tmp_path):
    with two(tmp_path) as dealer:
        sitting = Sitting(dealer)
        console = Console(file=io.StringIO())
        assert Terminal(console, sitting, lambda: "2").run(4) == 4
        sitting.close()


def test_the_names_are_told_in_a_sentence():
    sides = Side("engine:a[b]", "x", 12.4), Side("empty", "", 3.0)
    out = io.StringIO()
    Console(file=out, width=200).print(sentence(Revealed("second", *sides)))
    assert out.getvalue().split("  ")[0] == "You chose the second."
    assert "first: engine:a[b] (12 ms)" in out.getvalue()


def test_a_pair_that_comes_as_the_wait_ends_is_shown(tmp_path):
    class Late(Future):
        def result(self, timeout=None):
            if timeout is None:
                return super().result()
            self.set_result("pair")  # between the end of the wait and the look whether it is there
            raise TimeoutError

    assert Terminal(Console(file=io.StringIO()), None, lambda: "q")._wait(Late()) == "pair"
