"""Many gaps: no step over more than others can wait for, and an answer for each of them."""

from dataclasses import replace

import pytest

from dcomplete.engine.clusters import MOST_CELLS, behind, split
from dcomplete.engine.engine import LocalEngine
from dcomplete.types import Finish, InfillRequest
from tests.conftest import make_family
from tests.engine.test_lines import BreaksThere
from tests.engine.test_tokens import TOKENS

ENGINE = LocalEngine(make_family(), TOKENS)


def test_no_step_goes_over_more_cells_than_a_canvas_may_have():
    widest = 0

    def watch(step, rows):
        nonlocal widest
        widest = max(widest, sum(map(len, rows)))

    request = InfillRequest("a = ", "\n", ("",) * 39, length="256", steps=1)
    result = ENGINE.infill(request, watch=watch)
    assert len(result.best.texts) == 40
    assert 0 < widest <= MOST_CELLS


@pytest.mark.parametrize(
    ("changes", "gaps"),
    [({}, 16), ({"samples": 8}, 2), ({"branches": 64}, 16), ({"length": "512"}, 2)],
)
def test_the_more_rows_and_the_longer_the_fewer_gaps_share_a_canvas(changes, gaps):
    request = InfillRequest("a", "z", tuple(f"{n % 10}" for n in range(199)), **changes)
    head, rest = split(TOKENS, request)
    assert head.gaps == gaps and rest is not None and rest.gaps == 200 - gaps
    assert head.suffix == "".join(request.between[gaps - 1 :]) + "z"


def test_a_thousand_gaps_far_apart_are_no_recursion_and_end_in_time():
    between = ("x = 1\n" * 200,) * 1100
    request = InfillRequest("a = ", "\n", between, max_tokens=1, steps=1, context_tokens=16)
    late = ENGINE.infill(InfillRequest("a = ", "\n", between, max_tokens=1, deadline_ms=0.0))
    assert late.best.finish is Finish.DEADLINE and late.best.texts[1:] == ("",) * 1100
    assert late.forwards < 10
    assert len(ENGINE.infill(request).best.texts) == 1101


def test_what_was_filled_stands_before_the_gaps_behind_it():
    request = InfillRequest("a", "z", ("b", "c", "d"))
    rest = InfillRequest("", "z", ("d",))
    assert behind(rest, request, ("1", "2")) == InfillRequest("a1b2c", "z", ("d",))


def test_a_late_answer_is_as_many_as_were_wanted():
    far = ("\n" + "x = 1\n" * 200,)
    request = InfillRequest(
        "x = ", "\n", far, samples=3, temperature=1.0, max_tokens=8, deadline_ms=0.0
    )
    found = ENGINE.infill(request).answers
    assert len(found) == 3
    assert all(a.finish is Finish.DEADLINE and a.texts[1] == "" for a in found)


@pytest.mark.parametrize("between", ["\n", "\n" + "x = 1\n" * 200])
def test_a_gap_that_text_follows_is_no_line(between):
    """However far the next one is: it may be filled by itself."""
    engine = LocalEngine(make_family(), TOKENS, constraint=BreaksThere())
    request = InfillRequest("def f(x):\n    ", "\n", (between,), max_tokens=24, policy="verify")
    whole = engine.infill(request).answers
    assert "\n" in whole[0].texts[0].strip()
    assert engine.infill(replace(request, line=True)).answers == whole
