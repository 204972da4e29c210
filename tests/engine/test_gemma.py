"""DiffusionGemma, tiny and random, through the transformers library: its own answers where nothing is
pinned, pinned text that stays where something is."""

import json
import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from dcomplete.cli import run
from dcomplete.engine.gemma import GemmaEngine
from dcomplete.engine.load import load_engine, open_model
from dcomplete.errors import Cancelled, ModelError, UserError
from dcomplete.types import Answer, CancelToken, Finish, InfillRequest
from tests.conftest import byte_tokenizer_json

LIBRARY = find_spec("transformers")
CANVAS = 16
pytestmark = [
    # found without the seconds that its import takes: who only collects tests does not wait for it
    pytest.mark.skipif(
        not LIBRARY or not (Path(str(LIBRARY.origin)).parent / "models/diffusion_gemma").is_dir(),
        reason="no transformers with DiffusionGemma",
    ),
    # torch says so of itself when transformers' sampler imports its distributions for the first time
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub has it."""
    import transformers

    torch.manual_seed(0)
    text = {
        "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "global_head_dim": 8,
        "num_global_key_value_heads": 2, "num_experts": 4, "top_k_experts": 2,
        "moe_intermediate_size": 16, "sliding_window": 16, "max_position_embeddings": 512,
        "layer_types": ["sliding_attention", "full_attention"],
        "use_bidirectional_attention": "vision", "bos_token_id": 5,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 2, "head_dim": 8,
    }  # fmt: skip
    config = transformers.DiffusionGemmaConfig(
        text_config=text, vision_config=vision, canvas_length=CANVAS
    )
    model = transformers.DiffusionGemmaForBlockDiffusion(config).eval()
    folder = tmp_path_factory.mktemp("gemma") / "diffusiongemma"
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(byte_tokenizer_json(), encoding="utf-8", newline="\n")
    made = json.loads((folder / "generation_config.json").read_text("utf-8"))
    made |= {"eos_token_id": [1, 6], "pad_token_id": 0, "max_denoising_steps": 6}
    (folder / "generation_config.json").write_text(json.dumps(made), encoding="utf-8", newline="\n")
    return folder


@pytest.fixture
def engine(published: Path, data_home: Path) -> GemmaEngine:
    assert run(["models", "import", str(published), "--name", "gemma"]) == 0
    opened = open_model("gemma", "cpu", "float32")
    assert isinstance(opened, GemmaEngine)
    return opened


def test_with_nothing_pinned_it_is_the_librarys_own_generate(engine, published):
    """Issue 7: DiffusionGemma tiny random agrees with transformers' own generate."""
    import transformers

    theirs = transformers.DiffusionGemmaForBlockDiffusion.from_pretrained(published).eval()
    tokens = engine.tokenizer.encode("x = 1\nreturn", add_special_tokens=False).ids
    for seed in range(3):
        torch.manual_seed(seed)
        out = theirs.generate(input_ids=torch.tensor([[5, *tokens]]), max_new_tokens=CANVAS)
        wanted = out.sequences[0, 1 + len(tokens) :].tolist()
        stop = next((i for i, t in enumerate(wanted) if t in (0, 1, 6)), len(wanted))
        best = engine.infill(InfillRequest("x = 1\nreturn", seed=seed)).best
        assert best.texts == (engine.text(wanted[:stop]),)


def test_pinned_text_stays_at_every_step_and_gaps_are_answered_in_order(engine):
    seen = []
    request = InfillRequest("a = ", ")\n", ("+", ";"), length="2")
    result = engine.infill(request, watch=lambda step, rows: seen.append(rows))
    assert len(result.best.texts) == 3 and result.steps == len(seen)
    for rows in seen:
        cells = rows[0]
        assert [c.text for c in cells if c.pinned] == ["+", ";", ")", "\n"]
        assert [c.pinned for c in cells[:10]] == [False] * 2 + [True] + [False] * 2 + [True] + [
            False
        ] * 2 + [True] * 2


def test_the_suffix_moves_what_the_gap_holds(engine):
    answers = {
        engine.infill(InfillRequest("a = ", suffix, length="8")).best.texts
        for suffix in (")\n", "]]]]]]", "# end")
    }
    assert len(answers) > 1


def test_lengths_are_tried_side_by_side(engine):
    pins, gaps = engine._canvases(InfillRequest("a = ", ")\n", max_tokens=8))
    assert [g[0] for g in gaps] == [slice(0, 4), slice(0, 8)] and pins.shape == (2, CANVAS)
    assert len(engine.infill(InfillRequest("a = ", ")\n", max_tokens=8)).answers) == 1
    many = engine.infill(InfillRequest("a = ", ")\n", max_tokens=8, samples=3))
    scores = [a.score for a in many.answers]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)


def test_the_seed_decides(engine):
    request = InfillRequest("a = ", ")\n", length="6", seed=4)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert engine.infill(request).best == engine.infill(request).best
    assert torch.equal(torch.get_rng_state(), before), "others' random numbers are left alone"


def test_who_asks_in_an_editor_or_over_http_is_answered(engine):
    """They ask for branches, or send a temperature whatever the model."""
    request = InfillRequest("a = ", ")\n", seed=3)
    plain = engine.infill(request)
    for asked in ({"branches": 8}, {"temperature": 0.8, "top_p": 0.9}):
        assert engine.infill(replace(request, **asked)).answers == plain.answers


def test_with_a_confidence_its_answer_is_whole_or_none(engine):
    request = InfillRequest("a = ", ")\n", length="6", seed=3)
    plain = engine.infill(request).best
    chance = math.exp(plain.score * plain.tokens)
    assert engine.infill(replace(request, confidence=0.9 * chance)).best == plain
    none = engine.infill(replace(request, confidence=min(1.0, 1.1 * chance))).best
    assert none == Answer(("",), 0, 0.0, Finish.UNSURE)


def test_cancel_and_deadline_stop_between_its_steps(engine):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        engine.infill(
            InfillRequest("a = ", ")\n"), cancel, watch=lambda step, rows: cancel.cancel()
        )
    late = engine.infill(InfillRequest("a = ", ")\n", deadline_ms=0))
    assert late.best.finish is Finish.DEADLINE and late.steps == 1


def test_what_does_not_fit_is_one_sentence(engine):
    with pytest.raises(UserError, match="sampler of its own"):
        engine.infill(InfillRequest("a", "b", policy="topk"))
    with pytest.raises(UserError, match="does not fit"):
        engine.infill(InfillRequest("a", "b", between=("x" * 40,)))
    with pytest.raises(ModelError, match="transformers library"):
        load_engine("gemma")


def test_the_command_line_fills_a_gap_with_it(engine, tmp_path, capsys):
    file = tmp_path / "x.py"
    file.write_text("a = <GAP>\n", encoding="utf-8", newline="\n")
    command = ["infill", str(file), "--model", "gemma", "--length", "4", "--json", "--in-process"]
    status = run(command)
    said = capsys.readouterr()
    assert status in (0, 1), said.err
    assert json.loads(said.out.splitlines()[-1])["model"] == "gemma"
