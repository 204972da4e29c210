"""What the engine refuses before it computes anything, and what it makes fit."""

from dataclasses import replace

import pytest

from dcomplete.engine.engine import LocalEngine
from dcomplete.errors import UserError
from dcomplete.types import InfillRequest
from tests.conftest import TINY, make_family
from tests.engine.test_engine import ENGINE, PREFIX, SUFFIX
from tests.engine.test_tokens import TOKENS


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"length": "²"}, "Length must be"),
        ({"length": "9" * 5000}, "Length must be"),
        ({"seed": 2**70}, "64 bits"),
        ({"temperature": float("nan")}, "Temperature"),
        ({"temperature": 1e-40}, "Temperature"),
        ({"branch_ms": -1.0}, "ranch_ms must not be negative"),
        ({"branch_ms": float("nan")}, "ranch_ms must not be negative"),
        ({"deadline_ms": float("inf")}, "eadline_ms"),
        ({"prefix": "a \ud83d"}, "surrogate"),
        ({"policy": "threshold=nan"}, "above 0"),
        ({"draft": "x", "length": "7"}, "leave length at auto"),
        ({"between": ("b",), "length": "candidates"}, "single gap"),
        ({"length": "512", "samples": 17, "temperature": 1.0}, "16 can be of that length"),
        ({"length": "300", "branches": 64}, "27 can be of that length"),
        ({"length": "candidates", "samples": 64, "temperature": 1.0}, "can be drawn so"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_sentence(wrong, said):
    with pytest.raises(UserError, match=said):
        ENGINE.infill(InfillRequest(**{"prefix": PREFIX, "suffix": SUFFIX, **wrong}))


def test_a_context_leaves_the_gap_places_that_the_model_was_trained_on():
    config = replace(TINY, max_positions=256)
    engine = LocalEngine(make_family(config=config), TOKENS)
    result = engine.infill(InfillRequest("value = 1\n" * 90, SUFFIX, max_tokens=64))
    assert 100 < result.context_tokens <= 256 - 64
