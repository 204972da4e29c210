"""Steps of fixed shape equal the engine's ordinary ones; buckets, fall-backs; on a GPU the recording."""

import pytest
import torch

from dcomplete.models.canvas import Canvas
from dcomplete.models.family import Family
from dcomplete.models.graphs import Buckets, StaticSteps
from dcomplete.models.recording import Graphs, plain
from dcomplete.models.regimes import Prompt
from tests.conftest import make_family

ROWS = {
    "one": [[7]],
    "bucket": [[8]],
    "pinned": [[4, [60, 61], 5]],
    "rows of several lengths": [[5], [6], [7]],
    "samples": [[16], [16]],
}
SMALL = Buckets(widths=(8, 16), rows=(1, 2, 4), contexts=(64, 256))
PROMPT = Prompt(list(range(20, 90)), list(range(100, 130)))


def open_canvas(family, layout):
    return Canvas.build(layout, family.specials.mask).to(family.device)


@pytest.mark.parametrize("layout", ROWS.values(), ids=ROWS)
def test_static_steps_equal_the_ordinary_ones(layout):
    family = make_family()
    steps = StaticSteps(family.net, SMALL, plain)
    with family.open(PROMPT) as session, torch.inference_mode():
        canvas = open_canvas(family, layout)
        session.prefill()
        for turn in range(3):
            expected = session.states(canvas)
            found = steps.states(session, session.cache, session.edge, canvas)
            real = canvas.gap >= -1
            torch.testing.assert_close(found[real], expected[real], atol=1e-5, rtol=1e-5)
            canvas.commit(
                canvas.open & (torch.arange(canvas.width) == turn),
                canvas.ids + 9,
                canvas.confidence,
            )


def test_a_session_uses_them_once_its_context_is_computed():
    family, twin = make_family(), make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    for prompt in (PROMPT, Prompt([*PROMPT.prefix, 33], PROMPT.suffix), Prompt([], [])):
        with family.open(prompt) as session, twin.open(prompt) as ordinary:
            for size in (7, 12):
                canvas = open_canvas(family, [[size]])
                for _ in range(2):
                    found, expected = session.states(canvas), ordinary.states(canvas)
                    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert family.static._steps


@pytest.mark.parametrize("new", [1, 5, 8, 9, 16, 17])
def test_what_was_typed_is_read_by_a_step_of_its_own(new):
    """Its states, and the keys and values that it leaves to later requests, equal the ordinary ones."""
    family, twin = make_family(), make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    canvas = open_canvas(family, [[7]])
    typed = Prompt([*PROMPT.prefix, *range(200, 200 + new - 1)], PROMPT.suffix)
    for one in (family, twin):
        with one.open(PROMPT) as session:
            session.prefill()
    for prompt in (typed, Prompt([*typed.prefix, 33], typed.suffix)):
        with family.open(prompt) as session, twin.open(prompt) as ordinary:
            found, expected = session.states(canvas), ordinary.states(canvas)
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(session.edge, ordinary.edge, atol=1e-5, rtol=1e-5)
            for ours, true in zip(session.cache.context(), ordinary.cache.context(), strict=True):
                torch.testing.assert_close(ours, true, atol=1e-5, rtol=1e-5)
    assert family.static._reads


def test_requests_that_take_turns_do_not_see_each_others_context():
    family = make_family()
    family.static = StaticSteps(family.net, SMALL, plain)
    prompts = [PROMPT, Prompt(list(range(40, 80)), [])]
    canvas = open_canvas(family, [[8]])
    alone = []
    for prompt in prompts:
        with make_family().open(prompt) as session:
            alone.append(session.states(canvas))
    sessions = [family.open(prompt) for prompt in prompts]
    for _ in range(3):
        for session, expected in zip(sessions, alone, strict=True):
            torch.testing.assert_close(session.states(canvas), expected, atol=1e-5, rtol=1e-5)


def test_buckets_are_the_smallest_that_hold():
    assert SMALL.fit(1, 1, 0) == (1, 8, 64)
    assert SMALL.fit(3, 9, 65) == (4, 16, 256)
    assert SMALL.fit(4, 16, 256) == (4, 16, 256)
    assert [SMALL.fit(*n) for n in ((5, 1, 1), (1, 17, 1), (1, 1, 257))] == [None] * 3


def test_what_fits_no_bucket_goes_the_ordinary_way():
    family = make_family()
    family.static = StaticSteps(family.net, Buckets((4,), (1,), (16,)), plain)
    canvas = open_canvas(family, [[8]])
    with family.open(PROMPT) as session, make_family().open(PROMPT) as twin:
        session.prefill()
        torch.testing.assert_close(
            session.states(canvas), twin.states(canvas), atol=1e-5, rtol=1e-5
        )
    assert not family.static._steps


def test_a_recording_that_fails_leaves_the_same_step_unrecorded(caplog):
    def broken(body):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    family = make_family()
    family.static = StaticSteps(family.net, SMALL, broken)
    canvas = open_canvas(family, [[8]])
    with family.open(PROMPT) as session, make_family().open(PROMPT) as twin:
        session.prefill()
        torch.testing.assert_close(
            session.states(canvas), twin.states(canvas), atol=1e-5, rtol=1e-5
        )
    said = family.static.trouble
    assert said.startswith(
        "steps run launch by launch, not as CUDA graphs: operation not permitted"
    )
    assert said in caplog.text and "\n" not in said


def test_without_memory_for_many_rows_they_go_the_ordinary_way(monkeypatch):
    family = make_family()
    family.static = steps = StaticSteps(family.net, SMALL, plain)

    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    canvas = open_canvas(family, [[8], [8], [8]])
    with family.open(PROMPT) as session:
        session.prefill()
        monkeypatch.setattr("dcomplete.models.graphs.StaticCache", full)
        assert session.states(canvas).shape == (3, 8, 32)
        assert steps.buckets.rows == (1, 2) and "no memory for steps of 4 rows" in steps.trouble


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_recorded_step_equals_the_plain_one_at_every_context():
    here = make_family()
    net = here.net.to("cuda")
    family = Family("tiny", net, here.regime, here.specials, vocabulary=271)  # with its cache there
    steps = StaticSteps(net, SMALL, Graphs())
    twin = StaticSteps(family.net, SMALL, plain)
    for length in (1, 40, 90):
        prompt = Prompt(PROMPT.prefix[:length], PROMPT.suffix)
        with family.open(prompt) as session, torch.inference_mode():
            session.prefill()
            canvas = open_canvas(family, [[8]])
            found = steps.states(session, session.cache, session.edge, canvas).clone()
            expected = twin.states(session, session.cache, session.edge, canvas)
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert not steps.trouble


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_second_network_is_recorded_when_the_first_is_gone():
    """Scratch memory is gone with the last recording in it: what another model's steps find is new."""
    for _ in range(2):
        here = make_family()
        net = here.net.to("cuda")
        family = Family("tiny", net, here.regime, here.specials, vocabulary=271)
        steps = StaticSteps(net, SMALL)
        with family.open(PROMPT) as session, torch.inference_mode():
            session.prefill()
            canvas = open_canvas(family, [[8]])
            assert steps.states(session, session.cache, session.edge, canvas) is not None
        assert not steps.trouble
        del steps
