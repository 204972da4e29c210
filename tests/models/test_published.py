"""Every published family: the conventions of its table row, and logits equal to its own mathematics."""

import pytest
import torch

from dcomplete.engine.load import load_engine, load_family
from dcomplete.errors import ModelError
from dcomplete.models.canvas import Canvas
from dcomplete.models.checkpoint import Manifest
from dcomplete.models.regimes import Prompt
from dcomplete.models.store import find
from tests.models import reference
from tests.models.checkpoints import CHECKPOINTS, QWEN_AT

EOT, START, END = QWEN_AT, QWEN_AT + 1, QWEN_AT + 2
# research/models.md section 2: mask, shift, regime, block, before the text, behind it, filler, expand
TABLE = {
    "dream": (151666, True, "full", None, 151665, EOT, None, None),
    "dreamon": (151666, True, "full", None, 151665, EOT, EOT, 151667),
    "diffucoder": (151666, True, "full", None, 151665, EOT, None, None),
    "open-dcoder": (151665, True, "full", None, None, None, None, None),
    "coda": (151669, True, "full", None, None, None, None, None),
    "a2d": (151665, False, "full", None, None, None, None, None),
    "a2d-block": (151665, False, "block-causal", 32, None, None, END, None),
    "llada": (126336, False, "full", None, None, None, None, None),
    "illada": (5, False, "full", None, 0, None, None, None),
    "stable-diffcoder": (5, False, "block-causal", 4, None, None, 2, None),
    "sdar": (151669, False, "block-causal", 4, None, None, END, None),
    "fast-dllm": (151665, True, "block-causal", 32, None, None, END, None),
}


def test_every_checkpoint_has_a_row():
    assert TABLE.keys() == CHECKPOINTS.keys()


@pytest.mark.parametrize("name", TABLE)
def test_conventions_are_those_of_the_table(name, published):
    manifest = Manifest.read(published(name))
    mask, shift, regime, block, bos, eos, fill, expand = TABLE[name]
    s = manifest.specials
    assert (s.mask, manifest.shift, manifest.regime) == (mask, shift, regime)
    assert (s.bos, s.eos, s.fill, s.expand) == (bos, eos, fill, expand)
    assert block is None or manifest.block == block
    assert set(CHECKPOINTS[name].tokens().values()) - set(s.banned) <= {fill, expand}


PREFIX, SUFFIX = "def mean(values):\n    return sum", "\n\nprint(mean([1]))\n"
GAP = 7


def text_of(name: str, ids) -> tuple[list[int], int, torch.Tensor]:
    """The sequence as the family's authors build it, where its gap begins, and who sees whom."""
    mask = TABLE[name][0]
    before, after = ids(PREFIX), ids(SUFFIX)
    gap = [mask] * GAP
    if name in ("dream", "dreamon", "diffucoder"):  # DreamOn, process_infilling_prompt
        sequence = [151665, *before, *gap, *after, EOT]
    elif name in ("open-dcoder", "coda", "a2d", "llada"):  # Open-dLLM eval_infill.py; dllm infill()
        sequence = [*before, *gap, *after]
    elif name == "illada":  # eval_illada.py, add_bos_token
        sequence = [0, *before, *gap, *after]
    elif name == "stable-diffcoder":  # Seed-Coder's sentinels, suffix first
        sequence = [8, *after, 9, *before, 10, *gap]
    else:  # ChatML: what follows in the user's turn, the answer begins with what is before
        ask = "user\nHere is the end of a source file:\n```\n"
        then = "\n```\nWrite the code that comes directly before it. Answer with code only."
        turns = [START, *ids(ask), *after, *ids(then), END, *ids("\n"), START]
        sequence = [*turns, *ids("assistant\n```\n"), *before, *gap]
    at = sequence.index(mask)
    size = TABLE[name][3]
    if size is None:
        return sequence, at, reference.everyone(len(sequence))
    late = -at % size if name == "a2d-block" else 0  # dllm pads the prompt to whole blocks
    return sequence, at, reference.staircase(len(sequence), size, late)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_logits_equal_the_published_mathematics(name, published):
    checkpoint = CHECKPOINTS[name]
    engine = load_engine(str(published(name)), "cpu", "float32")
    assert engine.family.specials.mask == TABLE[name][0]
    sequence, at, see = text_of(name, engine.tokens.encode)
    tensors = checkpoint.tensors()
    prompt = Prompt(engine.tokens.encode(PREFIX), engine.tokens.encode(SUFFIX))
    canvas = Canvas.build([[GAP]], TABLE[name][0])
    with engine.family.open(prompt) as session:
        for cells in ([], [1, 2], [0, 5]):  # nothing decided, then more and more of the gap
            chosen = torch.zeros_like(canvas.open)
            chosen[0, cells] = True
            canvas.commit(chosen, torch.full_like(canvas.ids, 65), torch.ones(1, GAP))
            sequence[at : at + GAP] = canvas.ids[0].tolist()
            theirs = reference.logits(tensors, checkpoint.names, checkpoint.shape, sequence, see)
            theirs = reference.shifted(theirs) if TABLE[name][1] else theirs
            with torch.inference_mode():
                mine = engine.family.net.head(session.states(canvas)[0])
            torch.testing.assert_close(mine, theirs[at : at + GAP], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_gap_is_filled_and_holds_no_special_token(name, published):
    from dcomplete.types import InfillRequest

    engine = load_engine(str(published(name)), "cpu", "float32")
    best = engine.infill(InfillRequest(PREFIX, SUFFIX, max_tokens=8, steps=6)).best
    assert not any(token in best.texts[0] for token in CHECKPOINTS[name].tokens())


def test_a_head_that_lies_in_the_files_is_used_whatever_the_config_says(published):
    entry = find(str(published("a2d")))
    assert not entry.manifest().net.tied
    family = load_family(entry, entry.manifest(), torch.device("cpu"), "float32")
    assert family.net.lm_head is not None
    assert find(str(published("illada"))).manifest().net.tied


def test_block_models_without_a_prompt_form_say_that_they_cannot_infill(published):
    from dataclasses import replace

    engine = load_engine(str(published("sdar")), "cpu", "float32")
    engine.family.regime = replace(engine.family.regime, layout=None)
    with pytest.raises(ModelError, match="sentinels"):
        engine.family.open(Prompt([1], [2]))
