"""From a run to a model that infills: nothing lost on the way, the vocabulary trimmed harmlessly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.cli import run as dcomplete
from dcomplete.engine.load import load_engine
from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.models.canvas import Canvas
from dcomplete.models.regimes import Prompt
from dcomplete.models.visibility import Visibility
from dcomplete.train.base import open_base
from dcomplete.train.batch import Batch, collate
from dcomplete.train.config import read
from dcomplete.train.evaluate import Setting, infill_gaps, masked_nats, summary
from dcomplete.train.export import ExportOptions, add_to_card, checksums, export
from dcomplete.train.heldout import HeldOut
from dcomplete.train.loss import dense
from dcomplete.train.run import Run
from dcomplete.train.shards import Example, Shards, Writer
from dcomplete.train.trainee import prepare_net
from dcomplete.train.trim import trim, trim_model
from dcomplete.types import InfillRequest
from tests.conftest import byte_tokenizer_json

FULL = Tokens.from_json(byte_tokenizer_json())
TEXT = "def add(a, b):\n    return a + b\n"


@given(st.text(alphabet="retuinx ()ab\n", max_size=40))
def test_trimmed_vocabulary_cuts_known_text_as_before(text):
    ids = FULL.encode(text)
    trimmed = trim(byte_tokenizer_json(), ids)
    small = Tokens.from_json(trimmed.tokenizer_json)
    assert [trimmed.kept[i] for i in small.encode(text)] == ids
    assert small.decode(small.encode(text)) == text


def test_trimming_drops_what_is_not_wanted_and_keeps_ancestors():
    wanted = FULL.encode("return")
    assert len(wanted) == 1
    trimmed = trim(byte_tokenizer_json(), wanted)
    pieces = set(Tokens.from_json(trimmed.tokenizer_json).pieces)
    assert {b"return", b"retu", b"re", b"tu"} <= pieces and b"in" not in pieces
    assert trimmed.kept[:8] == list(range(8)), "special tokens stay in front"


def test_a_trimmed_model_computes_what_the_whole_one_does(tiny_model: Path, tmp_path: Path):
    ids = FULL.encode("return x\n")
    smaller = trim(byte_tokenizer_json(), ids)
    base = open_base("tiny")
    assert base.folder is not None
    trim_model(base.folder, smaller.tokenizer_json, tmp_path / "small", 1_000_000)
    small = open_base(str(tmp_path / "small"))
    assert small.net.config.vocab == len(smaller.kept) < base.net.config.vocab
    new = torch.tensor([[smaller.new_id[i] for i in ids]])
    at = torch.arange(len(ids))[None]
    with torch.no_grad():
        states = [
            n(i, at, Visibility(None, causal=True))
            for n, i in ((base.net, torch.tensor([ids])), (small.net, new))
        ]
        torch.testing.assert_close(states[0], states[1])
        torch.testing.assert_close(
            base.net.head(states[0])[..., smaller.kept], small.net.head(states[1])
        )


def test_only_a_trimmed_tokenizer_can_replace_the_whole_one(tiny_model: Path, tmp_path: Path):
    base = open_base("tiny")
    assert base.folder is not None
    other = byte_tokenizer_json().replace('"return"', '"retorn"')
    with pytest.raises(UserError, match="was not trimmed from"):
        trim_model(base.folder, other, tmp_path / "small", 1_000_000)


@pytest.fixture
def trained(tiny_model: Path, tmp_path: Path):
    """A short adapter run on the installed tiny model."""
    writer = Writer(tmp_path / "data", len(FULL), {"tokenizer": "none", "seed": "0"})
    prefix, middle, suffix = (
        np.array(FULL.encode(t)) for t in ("def f(x):\n", "return x\n", "y\n")
    )
    for _ in range(40):
        writer.add(Example(suffix, prefix, middle, 0))
    writer.flush()
    base = open_base("tiny")
    config = read("tiny", {"base": "tiny", "mode": "lora", "steps": 12, "rank": 4, "lr": 1e-2})
    shards = Shards(tmp_path / "data")
    run = Run(
        prepare_net(base.net, base.manifest.specials, config), shards, config, tmp_path / "run"
    )
    list(run.go())
    return base, run, shards, tmp_path


def test_an_export_infills_and_equals_the_trained_network(trained):
    base, run, shards, folder = trained
    out = folder / "model"
    files = export(
        base,
        folder / "run",
        shards,
        out,
        {"licence": "test"},
        ExportOptions(min_count=0, averaged=False),
    )
    add_to_card(out, {"sha256": checksums(files[2:])})
    engine = load_engine(str(out))
    assert not engine.family.usage.other_text, "the data have one file at a time"
    card = open_base(str(out)).manifest.card
    assert card["licence"] == "test" and card["steps"] == 12 and card["tokens_seen"] > 0
    assert set(card["sha256"]) == {f.name for f in files[2:]}
    prompt = Prompt(FULL.encode("def f(x):\n"), FULL.encode("y\n"))
    states = engine.family.open(prompt).states(Canvas.build([[8]], 3))
    context = engine.family.regime.context(prompt)
    rows = engine.family.regime.rows(prompt, context, Canvas.build([[8]], 3))
    joint = context.join(rows.frame)
    with torch.no_grad():
        from dcomplete.models.visibility import Visibility

        see = Visibility.between(joint.marks, joint.marks)
        hidden = run.trainee.net(joint.ids[None], joint.positions[None], see)[0, len(context) - 1 :]
    apart = (states[0] - hidden[:8]).norm() / hidden[:8].norm()
    assert float(apart) < 0.02, "only the embedding's 8-bit blocks and 16-bit adapters differ"
    assert engine.infill(InfillRequest("def f(x):\n", "y\n", max_tokens=8)).best.texts


def test_training_goes_on_from_an_export(trained):
    base, run, shards, folder = trained
    assert not open_base("").length_head, "a base that cannot infill yet"
    options = ExportOptions(min_count=0, averaged=False, quantize=False)
    card = {"licence": "test", "device": "here"}
    export(base, folder / "run", shards, folder / "first", card, options)
    first = open_base(str(folder / "first"))
    specials = first.manifest.specials
    config = read("tiny", {"base": str(folder / "first"), "mode": "full", "steps": 2})
    sentinels = first.net.embed.weight[[specials.mask, specials.middle]].clone()
    trainee = prepare_net(first.net, specials, config, first.length_head)
    torch.testing.assert_close(trainee.length_head.weight, run.trainee.length_head.weight)
    torch.testing.assert_close(
        trainee.net.embed.weight[[specials.mask, specials.middle]], sentinels
    )
    list(Run(trainee, shards, config, folder / "run2").go())
    export(first, folder / "run2", shards, folder / "second", {"licence": "test"}, options)
    told = open_base(str(folder / "second")).manifest.card
    earlier = told["continues"]
    assert earlier["device"] == "here" and earlier["steps"] == 12 and told["steps"] == 12 + 2
    assert 0 < earlier["tokens_seen"] < told["tokens_seen"]


def test_an_export_with_a_trimmed_vocabulary_still_infills(trained):
    base, _, shards, folder = trained
    options = ExportOptions(min_count=1, other_text=True)
    export(base, folder / "run", shards, folder / "small", {}, options)
    engine = load_engine(str(folder / "small"))
    assert engine.family.usage.other_text, "said, whatever the data had"
    assert engine.family.net.config.vocab < base.manifest.net.vocab
    assert engine.infill(InfillRequest("zzz", "qqq", max_tokens=8)).best.texts


def test_the_evaluation_counts_what_it_should(trained):
    base, _, shards, folder = trained
    export(base, folder / "run", shards, folder / "m", {}, ExportOptions(min_count=0))
    engine = load_engine(str(folder / "m"))
    gaps = [HeldOut("def f(x):\n    return ", "\n", "x", "rest_of_line", "a.py", "p", "python")] * 3
    settings = [Setting("threshold", oracle=True), *[Setting("threshold", branches=2)] * 2]
    told, free, again = zip(*infill_gaps(engine, gaps, settings), strict=True)
    assert [s.forwards for s in free] == [s.forwards for s in again]
    assert all(s.length_error == 0 for s in told)
    found = summary(told)
    assert found["gaps"] == found["single_line_gaps"] == 3 and 0 <= found["edit_similarity"] <= 1
    assert "lines_by_language" not in found, "there is only one"
    assert "p50_ms" in found and "p50_ms" not in summary(free, timed=False)
    alone = [one for [one] in infill_gaps(engine, gaps, settings[1:2])]
    assert [(s.exact, s.length_error) for s in free] == [(s.exact, s.length_error) for s in alone]
    foreign = [replace(told[0], language="rust", exact=True), *told]
    right = sum(s.exact for s in told)
    assert summary(foreign)["lines_by_language"] == {"python": [right, 3], "rust": [1, 1]}
    nats = masked_nats(engine, gaps)
    assert set(nats) == {"25 %", "50 %", "75 %", "100 %"} and all(n > 0 for n in nats.values())


def test_a_batch_of_the_base_is_finite(trained):
    base, run, shards, _ = trained
    from dcomplete.train.feed import rows_of

    batch = Batch.of(collate([[r] for r in rows_of(shards, base.manifest.specials, run.config, 0)]))
    assert bool(base.net(batch.ids, batch.positions, dense(batch)).isfinite().all())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(None, "cannot be read"), ("{", "is no JSON object"), ("[]", "is no JSON object")],
)
def test_a_card_that_is_none_is_one_sentence(tmp_path, capsys, text, sentence):
    card = tmp_path / "card.json"
    if text is not None:
        card.write_text(text, encoding="utf-8", newline="\n")
    places = {"--run": "r", "--data": "d", "--base": "b", "--out": "o", "--card": str(card)}
    assert dcomplete(["train", "export", *(word for pair in places.items() for word in pair)]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown and shown.count("\n") == 1


def test_data_of_another_tokenizer_are_refused(trained, capsys):
    _, _, _, folder = trained
    places = {"--run": folder / "run", "--data": folder / "data", "--base": "tiny"}
    words = [str(word) for pair in places.items() for word in pair]
    assert dcomplete(["train", "export", *words, "--out", str(folder / "out")]) == 2
    assert "another tokenizer" in capsys.readouterr().err and not (folder / "out").exists()
