"""Which installed model a choice means, and what is known of it once loaded."""

import pytest

from dcomplete.errors import UserError
from dcomplete.serve.orders import Choice
from dcomplete.serve.pool import ModelPool, StoredModels
from dcomplete.types import InfillRequest
from tests.serve.conftest import FakeLoader


def test_every_name_of_a_model_is_the_same_choice(tiny_model):
    loader = StoredModels(Choice("tiny", "cpu", "float32"))
    plain = loader.resolve(Choice())
    assert plain == loader.resolve(Choice("tiny")) == loader.resolve(Choice(str(tiny_model)))
    assert plain == Choice(str(tiny_model.resolve()), "cpu", "float32")


def test_an_unknown_model_or_device_is_one_sentence(tiny_model):
    with pytest.raises(UserError, match="Unknown model 'nope'"):
        StoredModels().resolve(Choice("nope"))
    with pytest.raises(UserError, match="Unknown device"):
        StoredModels().resolve(Choice("tiny", "toaster"))
    with pytest.raises(UserError, match="Apple's graphics cards are not supported; use"):
        StoredModels().resolve(Choice("tiny", "mps"))


def test_a_stored_model_answers_step_by_step(tiny_model):
    loader = StoredModels(Choice("tiny", "cpu", "float32"))
    loaded = loader.load(loader.resolve(Choice()))
    steps = loaded.stepper.steps(InfillRequest("x = ", max_tokens=8, steps=4))
    count = 0
    with pytest.raises(StopIteration) as done:
        while True:
            next(steps)
            count += 1
    assert count > 1 and done.value.value.model == "tiny"
    facts = loaded.facts
    assert (facts.name, facts.device, facts.dtype) == ("tiny", "cpu", "float32")
    assert facts.bytes > 10_000


def test_models_in_use_are_not_dropped():
    pool = ModelPool(FakeLoader(), kept=2)
    first, second = Choice("a"), Choice("b")
    pool.load(first), pool.load(second)
    assert not pool.make_room({first, second})
    assert pool.find(first) is not None
    assert pool.make_room({first})
    assert pool.find(second) is None and pool.find(first) is not None
