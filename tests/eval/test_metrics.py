"""Metrics against their published definitions, and against slow twins."""

import gzip
import itertools
import json
import os
from fractions import Fraction
from math import comb
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from dcomplete_eval import metrics
from dcomplete_eval.types import Task


def task(prefix: str, gold: str, suffix: str, language: str = "python") -> Task:
    return Task("t", "b", "g", prefix, suffix, gold, language)


@pytest.mark.parametrize(
    ("text", "gold", "same"),
    [
        ("x = 1\n", "x = 1\n", True),
        ("x = 1", "x = 1\n", True),
        ("x = 1  \r\n", "x = 1\n", True),
        ("a\r\nb", "a\nb\n", True),
        (" x = 1\n", "x = 1\n", False),
        ("x =  1", "x = 1", False),
        ("", "\n", True),
        ("", "x", False),
    ],
)
def test_exact(text, gold, same):
    assert metrics.exact(text, gold) is same


@given(st.text("abc(", max_size=12), st.text("abc(", max_size=12))
def test_similarity_is_the_longest_common_subsequence(a, b):
    longest = 0
    for size in range(min(len(a), len(b)), 0, -1):
        parts = {"".join(p) for p in itertools.combinations(a, size)}
        if parts & {"".join(p) for p in itertools.combinations(b, size)}:
            longest = size
            break
    wanted = 2 * longest / (len(a) + len(b)) if a or b else 1.0
    assert metrics.similarity(a, b) == pytest.approx(wanted)
    assert metrics.similarity(a, b) == pytest.approx(fuzz.ratio(a, b) / 100)


@pytest.mark.parametrize(
    ("text", "language", "sound"),
    [
        ("def f():\n    return 1\n", "python", True),
        ("def f():\n    x = 1\n      y = 2\n", "python", False),  # tree-sitter takes this
        ("def f():\nx = 1\n", "py", False),
        ("s = '\\d'\n", "python", True),  # a warning, not an error
        ("x = '\0'", "python", False),
        ("(" * 5000, "python", False),
        ("-" * 200_000 + "1", "python", False),
        ("int f(void) { return 1; }", "c", True),
        ("int f(void) { return 1; ", "c", False),
        ("const f = (x: number) => x;", "typescript", True),
        ("const f = (x: number) => ;", "typescript", False),
        ("class A { int X => 1; }", "csharp", True),
        ("anything", "cobol", None),
        ("anything", "", None),
    ],
)
def test_parses(text, language, sound):
    assert metrics.parses(text, language) is sound


@pytest.mark.parametrize(
    ("text", "gold", "language", "same"),
    [
        ("total += price * n  # sum", "total=price+n", "python", True),
        ("return 'total' + x", 'return "other" + x', "python", True),
        ("a + b", "b + a", "python", False),
        ("if x: pass", "while x: break", "python", True),
        ("foo(bar)", "foo(bar, baz)", "python", False),
        ("int total = x; // y", "float total = x;", "cpp", True),
        ("let a = b;", "const a = b;", "javascriptreact", True),
        ("x", "x", "nothing-known", None),
        ("", "1 + 2", "python", True),
    ],
)
def test_identifiers(text, gold, language, same):
    assert metrics.same_identifiers(text, gold, language) is same


def test_score_says_all_that_needs_no_running():
    found = metrics.score(task("def f(x):\n    return ", "x + 1", "\n"), "x+1")
    assert (found.passed, found.exact, found.parses, found.identifiers) == (None, False, True, True)
    assert found.similarity == pytest.approx(2 * 3 / 8)
    assert metrics.score(task("def f(x):\n    return ", "x", "\n"), "(x").parses is False


def test_what_did_not_parse_before_cannot_be_blamed_on_an_answer():
    assert metrics.score(task("print 'old' ", "", "\n"), "(").parses is None
    assert metrics.score(task("print 'old' ", "", "\n"), "").parses is None


@given(st.integers(1, 12), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(n, data):
    c = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    draws = list(itertools.combinations([i < c for i in range(n)], k))
    assert metrics.pass_at_k(n, c, k) == pytest.approx(fmean(any(d) for d in draws))


def test_pass_at_k_is_stable_for_large_numbers():
    wanted = float(1 - Fraction(comb(10_000 - 37, 1000), comb(10_000, 1000)))
    assert metrics.pass_at_k(10_000, 37, 1000) == pytest.approx(wanted, rel=1e-12)
    assert metrics.mean_pass_at_k([(10, 3), (10, 0)], 1) == pytest.approx(0.15)


@pytest.mark.parametrize("wrong", [(0, 0, 1), (3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_pass_at_k_refuses_what_is_not_defined(wrong):
    with pytest.raises(ValueError, match="not defined"):
        metrics.pass_at_k(*wrong)


def test_gold_of_real_tasks_scores_full(evaldata):
    path = evaldata / "human-eval-infilling" / "HumanEval-RandomSpanInfillingLight.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(rows) == 164
    for row in rows:
        gold = row["canonical_solution"]
        found = metrics.score(task(row["prompt"], gold, row["suffix"]), gold)
        assert found.exact and found.similarity == 1 and found.parses and found.identifiers


@pytest.fixture
def evaldata() -> Path:
    near = Path(__file__).parents[3] / "shared" / "evaldata"
    place = Path(os.environ.get("DCOMPLETE_EVALDATA", near))
    if not (place / "human-eval-infilling").is_dir():
        pytest.skip("no HumanEval-Infilling beside the repository; set DCOMPLETE_EVALDATA")
    return place
