"""A confidence beside what else may be wanted: lines, samples, tails, other policies and machines."""

from dataclasses import dataclass, replace

import pytest
import torch

from dcomplete.engine.constraints import Free
from dcomplete.engine.engine import LocalEngine
from dcomplete.models.family import Family
from dcomplete.types import Answer, Finish, InfillRequest
from tests.conftest import make_family
from tests.engine.test_sureness import ASKED, Sure
from tests.engine.test_tokens import TOKENS

BREAK = TOKENS.encode("\n")[0]


@dataclass(frozen=True)
class Sequence(Free):
    """Each cell of a canvas holds the token that is named for it, with its probability; behind them
    anything is as likely as anything else."""

    chances: tuple[tuple[int, float], ...]

    def mask(self, canvas, logits, rows, columns):
        logits = torch.zeros_like(logits)
        for token, chance, column in ((*c, n) for n, c in enumerate(self.chances)):
            rest = torch.tensor((1 - chance) / (logits.shape[1] - 1)).log()
            there = columns == column
            logits[there] = rest
            logits[there, token] = torch.tensor(chance).log()
        return logits


def engine_for(*chances: tuple[str, float]) -> LocalEngine:
    tokens = tuple((TOKENS.encode(text)[0], chance) for text, chance in chances)
    return LocalEngine(make_family(), TOKENS, constraint=Sequence(tokens))


@pytest.fixture
def like_a_gpu(monkeypatch):
    """The host does not look at an answer before all of its canvas is decided."""
    monkeypatch.setattr(LocalEngine, "_over", lambda self, request, task: None)
    monkeypatch.setattr("dcomplete.engine.fill.EndsUnsure", lambda inner, least: inner)


LINE = replace(ASKED, confidence=0.35, line=True, heal=False, policy="threshold=0.01")


@pytest.mark.parametrize("machine", ["cpu", "gpu"])
def test_a_line_that_is_over_is_all_that_was_wanted_wherever_it_is_computed(machine, request):
    """Below it there may be what is not likely: nobody asked for that."""
    if machine == "gpu":
        request.getfixturevalue("like_a_gpu")
    engine = engine_for(("x", 0.95), (")", 0.95), ("\n", 0.95), ("y", 0.1), ("z", 0.1))
    found = engine.infill(LINE).best
    assert found.texts[0].startswith("x)\n") and found.finish is Finish.DONE


@pytest.mark.usefixtures("like_a_gpu")
def test_a_line_that_is_not_over_is_a_beginning_of_it():
    engine = engine_for(("x", 0.95), (")", 0.95), ("y", 0.1), ("\n", 0.95))
    found = engine.infill(LINE).best
    assert found.texts == ("x)",) and found.finish is Finish.UNSURE


def test_blanks_are_no_answer():
    engine = engine_for(("\n", 0.99), (" ", 0.99), ("y", 0.1))
    found = engine.infill(replace(LINE, line=False)).best
    assert found == Answer(("",), 0, 0.0, Finish.UNSURE)


@pytest.mark.parametrize("few", [0, 4])
def test_several_answers_are_several(few):
    family = make_family()
    family.few = few
    engine = LocalEngine(family, TOKENS, constraint=Sure(40.0))
    for temperature in (0.0, 3.0):
        asked = replace(ASKED, confidence=0.02, samples=8, temperature=temperature)
        found = [answer.texts[0] for answer in engine.infill(asked).answers]
        assert len(set(found)) == len(found)
        assert "" not in found[:-1], "what nothing is left of comes last"
    assert len(found) > 2


@pytest.mark.parametrize("name", ["p2", "threshold=0.5", "topk=2"])
def test_who_may_think_better_of_a_token_does(name, monkeypatch):
    """The early end changes no answer."""
    asked = replace(ASKED, confidence=0.3, policy=name)

    def answers() -> list[Answer]:
        made = (LocalEngine(make_family(seed=s), TOKENS, constraint=Sure(5.0)) for s in range(8))
        return [engine.infill(asked).best for engine in made]

    found = answers()
    monkeypatch.setattr("dcomplete.engine.fill.EndsUnsure", lambda inner, least: inner)
    assert [a.texts for a in found] == [a.texts for a in answers()]
    assert any(a.finish is Finish.UNSURE for a in found)


def test_an_unsure_answer_does_not_keep_another_from_being_tried_without_its_tail(monkeypatch):
    """Of two samples one is unsure, and one does not end with the half word behind the gap."""
    empty = Answer(("",), 0, 0.0, Finish.UNSURE)
    whole = Answer(("found",), 1, -0.1, Finish.DONE)
    answers = iter([None, empty, whole, empty])
    monkeypatch.setattr(LocalEngine, "_text", lambda *_: next(answers))
    engine = LocalEngine(make_family(), TOKENS)
    asked = replace(ASKED, suffix="urn x\n", samples=2, temperature=0.8, confidence=0.3)
    assert engine.infill(asked).answers == (whole, empty)


def widest(family: Family, asked: InfillRequest) -> int:
    """Cells of the widest pass behind a context that is known."""
    engine, widths = LocalEngine(family, TOKENS), []
    engine.infill(asked)
    read = family.net.forward

    def counted(*args, **kwargs):
        widths.append(args[0].shape[-1])
        return read(*args, **kwargs)

    family.net.forward = counted
    engine.infill(asked)
    return max(widths)


@pytest.mark.parametrize(
    ("change", "wide"),
    [({}, False), ({"steps": 8}, True), ({"length": "100", "steps": 20}, True)],
)
def test_short_passes_look_at_a_canvas_where_there_are_few_steps(change, wide):
    """Else what they come to only at the end would be decided all at once."""
    family = make_family()
    family.few = 4
    assert (widest(family, replace(ASKED, **change)) > 4) is wide
