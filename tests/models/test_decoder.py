"""Our network equals the Hugging Face reference on tiny random weights, causal and with a canvas."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dcomplete.errors import ModelError
from dcomplete.models.canvas import Canvas
from dcomplete.models.config import NetConfig
from dcomplete.models.decoder import Decoder
from dcomplete.models.foreign import read_source
from dcomplete.models.importing import open_hf
from dcomplete.models.published.registry import recognise
from dcomplete.models.regimes import ContextCanvas, Prompt
from dcomplete.models.visibility import Marks, Visibility, visible
from tests.conftest import SPECIALS, byte_tokenizer_json

FAMILIES = ["llama", "qwen2", "qwen3"]
IDS = torch.arange(24).view(1, -1) * 7 % 290


def read_hf(folder: Path):
    source = read_source(folder)
    config, weights = open_hf(source, recognise(source))
    return config, dict(weights)


def ours(raw, model, tmp_path: Path, shards: int = 1) -> Decoder:
    """Write the reference as a checkpoint folder and read it with our loader."""
    (tmp_path / "config.json").write_text(json.dumps(raw), encoding="utf-8", newline="\n")
    (tmp_path / "tokenizer.json").write_text(byte_tokenizer_json(), encoding="utf-8", newline="\n")
    state = {k: v.contiguous().clone() for k, v in model.state_dict().items()}
    if raw["tie_word_embeddings"]:
        state.pop("lm_head.weight", None)
    names = sorted(state)
    for number in range(shards):
        part = {n: state[n] for n in names[number::shards]}
        save_file(part, tmp_path / f"model-{number}.safetensors")
    config, weights = read_hf(tmp_path)
    net = Decoder(config)
    net.load_state_dict(weights)
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("tied", [False, True])
def test_causal_logits_equal_transformers(kind, tied, hf_tiny, tmp_path):
    raw, model = hf_tiny(kind, tied)
    net = ours(raw, model, tmp_path, shards=3)
    with torch.no_grad():
        theirs = model(IDS).logits
    hidden = net(IDS, torch.arange(24)[None], Visibility(None, causal=True))
    torch.testing.assert_close(net.head(hidden), theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("suffix_first", [True, False])
def test_canvas_equals_transformers_with_an_explicit_mask(kind, suffix_first, hf_tiny, tmp_path):
    raw, model = hf_tiny(kind)
    net = ours(raw, model, tmp_path)
    regime, prompt = ContextCanvas(SPECIALS, suffix_first), Prompt([10, 11, 12, 13], [20, 21])
    context = regime.context(prompt)
    canvas = Canvas.build([[6], [4]], SPECIALS.mask)
    rows = regime.rows(prompt, context, canvas)
    marks = context.marks.join(rows.frame.marks)
    ids = torch.cat([context.ids, rows.frame.ids])[None]
    positions = torch.cat([context.positions, rows.frame.positions])[None]
    mask = visible(marks, marks)
    additive = torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))[None, None]
    with torch.no_grad():
        theirs = model(ids, position_ids=positions, attention_mask=additive).logits
    mine = net.head(net(ids, positions, Visibility.between(marks, marks)))
    torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=0)


def test_visibility_rule_in_words():
    context, canvas = (
        Marks.shared(torch.arange(3)),
        Marks(torch.full((2,), 2), torch.ones(2).long()),
    )
    other = Marks(torch.full((2,), 2), torch.full((2,), 2))
    everyone = context.join(canvas).join(other)
    see = visible(everyone, everyone)
    assert see[:3, :3].equal(torch.ones(3, 3).tril().bool()), "the context is causal"
    assert not see[:3, 3:].any(), "the context sees no canvas"
    assert see[3:5, :5].all() and not see[3:5, 5:].any(), "a canvas sees the context and itself"
    assert see[5:, [0, 1, 2, 5, 6]].all() and not see[5:, 3:5].any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model_type": "mamba"}, "not supported"),
        ({"hidden_size": None}, "incomplete"),
        ({"rope_scaling": {"rope_type": "yarn"}, "rope_parameters": None}, "yarn"),
        ({"attention_bias": True}, "Biases"),
        ({"hidden_act": "gelu"}, "gelu"),
    ],
)
def test_config_that_does_not_fit_is_refused_in_one_sentence(change, sentence, hf_tiny):
    raw, _ = hf_tiny("llama")
    with pytest.raises(ModelError, match=sentence):
        NetConfig.from_hf({**raw, **change})


def test_missing_and_misshapen_tensors_are_named(hf_tiny, tmp_path):
    raw, model = hf_tiny("qwen3")
    ours(raw, model, tmp_path)
    raw["num_hidden_layers"] = 4
    (tmp_path / "config.json").write_text(json.dumps(raw), encoding="utf-8", newline="\n")
    with pytest.raises(ModelError, match=r"lacks the tensor 'model\.layers\.3"):
        read_hf(tmp_path)


def test_remote_code_is_refused(hf_tiny, tmp_path):
    raw, model = hf_tiny("llama")
    ours(raw, model, tmp_path)
    raw["auto_map"] = {"AutoModel": "modeling.Model"}
    (tmp_path / "config.json").write_text(json.dumps(raw), encoding="utf-8", newline="\n")
    with pytest.raises(ModelError, match="its own code"):
        read_hf(tmp_path)
