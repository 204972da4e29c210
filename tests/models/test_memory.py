"""The memory plan: figures by hand, and one sentence for a card that is too small."""

import pytest
import torch

from dcomplete.bench.shapes import SHAPES
from dcomplete.models.memory import free_bytes, need, too_small


def test_figures_by_hand():
    seven = need(SHAPES.get("7b"), contexts=4, tokens=8192, rows=1)
    assert seven.weights == pytest.approx(15.2e9, rel=0.01)
    assert seven.contexts == 4 * 8192 * 2 * 28 * 4 * 128 * 2  # k and v, layers, heads, bfloat16
    assert seven.steps == (8192 + 64) * 2 * 28 * 4 * 128 * 2
    parts = (seven.weights, seven.contexts, seven.steps, seven.scratch)
    assert seven.total > sum(parts)
    assert need(SHAPES.get("7b"), 1.0).weights == pytest.approx(seven.weights / 2)


def test_too_small_is_one_sentence_that_says_what_to_do():
    wanted = need(SHAPES.get("7b"))
    said = too_small("'dream-7b'", wanted, int(12e9))
    assert said.startswith("'dream-7b' needs ") and "15.2 GB of weights" in said
    assert "12.0 GB are free" in said and "--device cpu" in said and said.count(". ") == 0
    assert too_small("'dream-7b'", wanted, int(24e9)) == ""
    assert too_small("'dream-7b'", wanted, None) == ""


def test_nothing_is_known_of_a_cpu():
    assert free_bytes(torch.device("cpu")) is None
