"""How gaps are cut, how many each file gives, and that shards give back what was written."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train.cuts import SINGLE_LINE, Cutter, Gap, Kind
from dcomplete.train.examples import Cut, clip, encode, examples
from dcomplete.train.plan import plan
from dcomplete.train.shards import Example, Shards, Writer
from dcomplete.train.sources import Document
from tests.train.programs import program


def cuts_of(tokens: Tokens, text: str, count: int = 100) -> list[Cut]:
    rng = random.Random(5)
    return [c for _ in range(count // 20) for c in examples(tokens, text, "python", 20, rng)]


def test_kinds_are_drawn_by_their_shares(tokens: Tokens) -> None:
    cuts = cuts_of(tokens, program(70, functions=6), 500)
    kinds = Counter(cut.gap.kind for cut in cuts)
    assert set(kinds) == set(Kind)
    assert 0.33 < sum(kinds[k] for k in SINGLE_LINE) / len(cuts) < 0.50
    single = [c for c in cuts if c.gap.kind in SINGLE_LINE]
    assert 0.4 < sum(c.clip.middle.endswith("\n") for c in single) / len(single) < 0.6
    assert 0.06 < sum(not c.suffix for c in cuts) / len(cuts) < 0.14  # a tenth is wanted


def test_text_and_tokens_rebuild_the_document(tokens: Tokens) -> None:
    text = program(71, functions=25)  # longer than the clip
    for cut in cuts_of(tokens, text):
        gap, part = cut.gap, cut.clip
        assert part.middle == text[gap.start : gap.end]
        assert text[: gap.start].endswith(part.prefix)
        assert text[gap.end :].startswith(part.suffix)
        whole = part.prefix + part.middle + part.suffix
        ids = [*cut.prefix, *cut.middle, *cut.suffix]
        assert tokens.decode(ids) in whole
        assert len(cut.middle) <= 63
        seam = tokens.seam(part.prefix, part.suffix)
        if len(seam.prefix) <= 1024 and len(seam.suffix) <= 512:
            assert tokens.decode(ids) == whole
        assert tokens.decode(cut.middle) == seam.middle(part.middle)
        if seam.head:
            assert cut.middle[0] in tokens.starting_with(seam.head)


def test_a_rest_of_line_is_kept_behind_a_gap_inside_it(tokens: Tokens) -> None:
    for cut in cuts_of(tokens, program(72)):
        if not cut.clip.suffix:
            end = cut.gap.end
            assert cut.clip.middle.endswith("\n") or program(72)[end : end + 1] in ("", "\n")


def test_syntax_gaps_are_nodes() -> None:
    pytest.importorskip("tree_sitter_python")
    text = program(73)
    cutter, rng = Cutter(text, "python"), random.Random(1)
    for _ in range(20):
        body = cutter.gap(rng, Kind.BODY)
        arguments = cutter.gap(rng, Kind.ARGUMENTS)
        assert body is not None
        assert arguments is not None
        assert text[: body.start].rstrip().endswith((":", "first"))
        assert text[arguments.start - 1] == "(" or text[arguments.start] == "("


def test_other_languages_fall_back_to_lines() -> None:
    text = program(74)
    gap = Cutter(text, "cobol").gap(random.Random(1), Kind.STATEMENT)
    assert gap
    assert gap.kind == Kind.LINE


def test_a_long_gap_is_no_example(tokens: Tokens) -> None:
    text = program(75)
    gap = Gap(0, 260, Kind.SPAN)
    assert encode(tokens, gap, clip(text, gap)) is None


def test_no_package_rules_the_plan() -> None:
    text = "x" * 3000
    documents = [Document("big", f"{n}.py", "python", text) for n in range(300)]
    documents += [Document(f"small{p}", "a.py", "python", text) for p in range(30)]
    documents += [Document(f"small{p}", "a.js", "javascript", text) for p in range(30)]
    counts = plan(documents, seed=1, package_share=0.12)
    of = Counter[str]()
    for document, count in zip(documents, counts, strict=True):
        of["big"] += count * (document.package == "big")
        of["js"] += count * (document.language == "javascript")
    assert 0.08 < of["big"] / sum(counts) < 0.16
    assert sum(plan(documents, seed=1, limit=100)) == pytest.approx(100, abs=15)
    assert plan(documents, seed=1) == plan(documents, seed=1)


def test_rare_languages_keep_more_of_theirs_than_frequent_ones() -> None:
    sizes = {"python": 200, "typescript": 400, "rust": 100, "lua": 4}
    documents = [
        Document(f"{name}{n}", "a", name, "x" * 3000)
        for name, of in sizes.items()
        for n in range(of)
    ]
    counts = plan(documents, seed=1, others_share=0.5)
    of = Counter[str]()
    for document, count in zip(documents, counts, strict=True):
        of[document.language] += count
    assert of["python"] == pytest.approx(2000, rel=0.02)
    assert of.total() - of["python"] == pytest.approx(2000, rel=0.02), "as much as of Python"
    assert of["typescript"] == pytest.approx(2 * of["rust"], rel=0.1), (
        "as the root of what there is"
    )
    assert of["lua"] == pytest.approx(40, rel=0.1), "all there is, though less than its part"
    assert sum(plan(documents, seed=1, others_share=0.0)) == pytest.approx(2000, rel=0.02)


@pytest.mark.parametrize(("vocabulary", "kind"), [(900, np.uint16), (70_000, np.int32)])
def test_shards_round_trip(tmp_path: Path, vocabulary: int, kind: type) -> None:
    rng = np.random.default_rng(1)

    def some(most: int) -> np.ndarray:
        return rng.integers(0, vocabulary, rng.integers(0, most)).astype(kind)

    rows = [Example(some(30), some(60), some(9), n % 10, some(20)) for n in range(25)]
    writer = Writer(tmp_path, vocabulary, {"tokenizer": "t", "seed": "1"}, per_shard=10)
    for row in rows:
        writer.add(row)
    writer.flush()
    shards = Shards(tmp_path)
    assert (len(shards), len(writer.files), shards.tokenizer) == (25, 3, "t")
    for row, got in zip(rows, shards, strict=True):
        assert got.kind == row.kind
        assert got.middle.dtype == kind
        for name in ("suffix", "prefix", "middle", "other"):
            assert np.array_equal(getattr(got, name), getattr(row, name))
    assert shards[-1].kind == rows[-1].kind
    assert shards.lengths()[:, 2].tolist() == [len(r.middle) for r in rows]
    assert sorted(shards.order(3, 0)) == list(range(25))
    assert shards.surrounded, "which an export says of the weights"
    assert shards.order(3, 0).tolist() == Shards(tmp_path).order(3, 0).tolist()
    assert shards.order(3, 0).tolist() != shards.order(3, 1).tolist()


def test_an_empty_folder_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prepare"):
        Shards(tmp_path)
