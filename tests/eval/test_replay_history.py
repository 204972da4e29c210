"""What the author wrote next is found exactly: on hand-made histories, random ones and real ones."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete_eval.replay.accepting import RULES, taken
from dcomplete_eval.replay.history import FAR, History
from dcomplete_eval.replay.survival import Identities
from dcomplete_eval.replay.tempo import gaps, moments
from dcomplete_eval.replay.trace import Patch, Trace

TRACES = Path(__file__).parents[3] / "shared" / "evaldata" / "editing-traces"
LONG = "".join(f"line {n} of a text\n" for n in range(6))


def trace(start, *strokes, seconds=None):
    """A history of single patches, or of tuples of them."""
    keys = tuple(
        s if isinstance(s, tuple) and isinstance(s[0], Patch) else (Patch(*s),) for s in strokes
    )
    made = Trace("small", start, "", keys, tuple(seconds or range(0, 2 * len(keys), 2)))
    *_, end = start, *made.texts()
    return Trace("small", start, end, keys, made.seconds)


def said(history, stroke):
    return "".join(letter.text for letter in history.ahead(stroke))


CASES = {
    "typed on": ([(1, 0, "b"), (2, 0, "c"), (3, 0, "d")], "cd"),
    "corrected": ([(1, 0, "b"), (2, 0, "x"), (2, 1, ""), (2, 0, "c")], "c"),
    "deleted before the spot": ([(1, 0, "b"), (2, 0, "c"), (1, 2, ""), (1, 0, "d")], "c"),
    "elsewhere": ([(1, 0, "b"), (2, 0, "c"), (0, 0, "z"), (4, 0, "d")], "c"),
    "two places": ([(1, 0, "b"), (2, 0, "c"), (Patch(3, 0, "d"), Patch(0, 0, "d"))], "c"),
    "forward deletion": ([(0, 0, "b"), (1, 1, ""), (1, 0, "d")], ""),
    "a word from a popup": ([(1, 0, "b"), (2, 0, "co"), (2, 2, "console"), (9, 0, ".")], "console."),
    "a paste ends it": ([(1, 0, "b"), (2, 0, "c"), (3, 0, "x" * 41)], "c"),
    "a line break with indentation": ([(1, 0, "b"), (2, 0, "\n    "), (7, 0, "c")], "\n    c"),
    "outdented": ([(1, 0, "\n    "), (1, 5, "\n  }"), (5, 0, "!")], ""),
    "two lines at once end it": ([(1, 0, "b"), (2, 0, "c\nd")], ""),
    "within closed brackets": ([(1, 0, "b"), (2, 0, "()"), (3, 0, "x")], "(x)"),
    "over a closed bracket": ([(1, 0, "b"), (2, 0, "()"), (3, 0, "x"), (5, 0, ";")], "(x);"),
    "typed over a bracket": ([(1, 0, "b"), (2, 0, "()"), (3, 1, ")"), (4, 0, ";")], "();"),
    "a pair deleted again": ([(1, 0, "b"), (2, 0, "()"), (2, 2, ""), (2, 0, "c")], "c"),
    "pairs in pairs": ([(1, 0, "b"), (2, 0, "()"), (3, 0, "[]"), (4, 0, "1"), (6, 0, ",")], "([1],)"),
    "over what was there before": ([(0, 0, "b"), (2, 0, "c")], ""),
}  # fmt: skip


@pytest.mark.parametrize(("strokes", "wanted"), CASES.values(), ids=CASES)
def test_the_truth_behind_the_first_stroke(strokes, wanted):
    assert said(History(trace("a", *strokes)), 0) == wanted


def test_a_spot_that_is_outdented_first_ends_at_once():
    history = History(trace("a", (1, 0, "\n    "), (1, 5, "\n  }"), (5, 0, "!")))
    assert said(history, 1) == "!"


def test_letters_know_their_stroke_and_whether_they_last():
    history = History(trace("a", (1, 0, "b"), (2, 0, "c"), (3, 0, "d"), (0, 0, "z"), (3, 1, "")))
    letters = history.ahead(0)
    assert [(x.text, x.stroke, history.kept(x)) for x in letters] == [
        ("c", 1, False),
        ("d", 2, True),
    ]


def test_a_bracket_whose_partner_is_deleted_stands_there_since_then():
    history = History(trace("a", (1, 0, "b"), (2, 0, "c"), (3, 0, "()"), (2, 2, ""), (3, 0, ";")))
    assert [(x.text, x.stroke) for x in history.ahead(0)] == [(")", 3), (";", 4)]


def test_several_places_have_no_truth():
    history = History(trace("a", (Patch(1, 0, "b"), Patch(0, 0, "c")), (3, 0, "d")))
    assert history.ahead(0) == [] and history.edits[0] is None


@st.composite
def histories(draw):
    """Mostly at the cursor, as people type; anything else too."""
    text = draw(st.text("ab(\n ", max_size=6))
    cursor, strokes = len(text), []
    for _ in range(draw(st.integers(1, 14))):
        size = len(text)
        if draw(st.booleans()):
            at, gone = min(cursor, size), 0
            new = draw(st.sampled_from(["a", "b", "()", "{}", "\n  ", "word", "x\ny"]))
        else:
            at = draw(st.integers(0, size))
            gone = draw(st.integers(0, min(4, size - at)))
            new = draw(st.text("ab)", max_size=3))
        strokes.append((at, gone, new))
        text = text[:at] + new + text[at + gone :]
        cursor = draw(st.sampled_from([at + len(new), at + min(1, len(new))]))
    return trace(text_before(strokes, text), *strokes)


def text_before(strokes, text):
    """Undo every stroke: what the history began with. Deleted characters are not known: "q"."""
    for at, gone, new in reversed(strokes):
        text = text[:at] + "q" * gone + text[at + len(new) :]
    return text


def check_spot(history, texts, stroke):
    """The truth once stood between the spot's prefix and suffix, and so did every part of it."""
    edit = history.edits[stroke]
    if edit is None:
        return
    before, after = texts[stroke][: edit.cursor], texts[stroke][edit.cursor :]
    letters = history.ahead(stroke)
    truth = "".join(letter.text for letter in letters)
    assert before + truth + after in texts[stroke : stroke + FAR + 1]
    for count in range(1, len(letters) + 1):
        reached = texts[max(letter.stroke for letter in letters[:count])]
        assert reached.startswith(before + truth[:count]) and reached.endswith(after)


@given(histories())
def test_the_truth_stood_there_in_any_history(made):
    history, texts = History(made), list(made.texts())
    for stroke in range(len(texts)):
        check_spot(history, texts, stroke)


@given(histories())
def test_identities_keep_their_characters(made):
    document, born = Identities(made.start), dict(enumerate(made.start))
    for stroke, text in zip(made.keystrokes, made.texts(), strict=True):
        document.apply(stroke)
        assert document.text == text and len(set(document.ids)) == len(text)
        for identity, character in zip(document.ids, text, strict=True):
            assert born.setdefault(identity, character) == character


@pytest.mark.parametrize("name", ["rustcode", "sveltecomponent"])
def test_the_truth_stood_there_in_real_histories(name):
    path = TRACES / f"{name}.json.gz"
    if not path.exists():
        pytest.skip("the recorded traces are not here")
    made = Trace.read(path).first(4000)
    history, texts = History(made), list(made.texts())
    for stroke in random.Random(0).sample(range(4000), 150):
        check_spot(history, texts, stroke)


@pytest.mark.parametrize(
    ("patches", "kept"),
    [
        ([(0, len(LONG), ""), (0, 0, LONG)], len(LONG)),  # undone
        (
            [(0, 34, ""), (len(LONG) - 34, 0, LONG[:34])],
            len(LONG) - 34,
        ),  # too short to be known again
        ([(0, 51, ""), (len(LONG) - 51, 0, LONG[:51])], len(LONG)),  # cut and pasted
        ([(0, len(LONG), LONG.replace("3 of", "3  of"))], len(LONG) - len("line 3 of a text\n")),
        ([(0, 6, "line 9")], len(LONG) - 1),
        ([(0, 0, LONG[:51])], len(LONG)),  # a copy is new
    ],
)
def test_characters_live_on_through_formatting_undo_and_moves(patches, kept):
    document = Identities(LONG)
    for patch in patches:
        document.apply((Patch(*patch),))
    assert sum(place >= 0 for place in document.places()[: len(LONG)]) == kept


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 5))
def test_moments_never_fall_and_stay_within_their_second(steps, seed):
    seconds, now = [], 100
    for step in steps:
        now += step
        seconds.append(now)
    found = moments(seconds, seed)
    assert found == sorted(found) == moments(seconds, seed)
    assert [int(moment) for moment in found] == seconds


def test_times_between_keys_follow_the_stated_law():
    found = gaps([n // 2 * 5 for n in range(4000)], 0)[::2]  # two keys in a second, then a pause
    middle = sorted(found)[len(found) // 2]
    assert 0.19 < middle < 0.21 and max(found) > 2 * middle
    assert gaps([1, 1], 0)[-1] == float("inf") and gaps([], 0) == [float("inf")]


def test_who_types_on_into_the_next_second_does_so_at_the_same_pace():
    found = gaps([n // 8 for n in range(8000)], 0)[:-1]
    within = [gap for n, gap in enumerate(found) if n % 8 < 7]
    across = [gap for n, gap in enumerate(found) if n % 8 == 7]
    means = [sum(some) / len(some) for some in (within, across)]
    assert means == pytest.approx([1 / 8, 1 / 8], rel=0.05)


def test_a_clock_that_was_set_back_does_not_turn_time_back():
    found = moments([5, 3, 9], 0)
    assert found == sorted(found) and int(found[1]) == 5


@pytest.mark.parametrize(
    ("rule", "text", "truth", "count"),
    [
        ("whole", "return x", "return x + 1", 8),
        ("whole", "return y", "return x", 0),
        ("whole", "return x\n}", "return x", 0),
        ("line", "return x\n}", "return x", 8),
        ("line", "return x\n}", "return x\n}\n", 10),
        ("line", "return y\n}", "return x\n}", 0),
        ("line", "\n}", "return x", 0),
        ("words", "return xs", "return x", 7),
        ("words", "return x.y", "return x.z", 9),
        ("words", "returns", "return", 0),
        ("words", "abc", "abc", 3),
        ("line", "ab", "abc", 0),  # fewer than three
        ("line", "", "abc", 0),
    ],
)
def test_what_is_taken(rule, text, truth, count):
    assert taken(rule, 3, text, truth) == count


def test_no_rule_takes_what_was_not_written():
    draw = random.Random(0)
    for _ in range(500):
        text, truth = ("".join(draw.choices("ab \n", k=draw.randint(0, 6))) for _ in range(2))
        for rule in RULES:
            count = taken(rule, 1, text, truth)
            assert text[:count] == truth[:count] and count <= min(len(text), len(truth))
