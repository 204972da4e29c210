"""Attention kernels: each that this machine has equals the float32 twin; the others say why not."""

from dataclasses import replace

import pytest
import torch

from dcomplete.models.attention import BACKENDS, naive
from dcomplete.models.frame import Frame
from dcomplete.models.kernels import KERNELS, TOLERANCE, Ask, Kernel, choose, example, trial
from dcomplete.models.visibility import Marks, Visibility

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ASK = Ask(DEVICE, torch.bfloat16, 64)
# canvas lengths and contexts, the extremes among them; the canvas's own keys stand behind the context
SHAPES = [(1, 0), (64, 0), (1, 8192), (64, 8192), (7, 33), (16, 1000), (33, 4097)]
PLAIN = Kernel("products", "products", lambda ask: "")  # the backend for a CPU's short canvases


@pytest.mark.parametrize("kernel", (*KERNELS, PLAIN), ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("pattern", ["all", "causal", "mask", "length", "causal length"])
@torch.inference_mode()
def test_kernel_equals_the_twin(kernel, dtype, pattern):
    ask = replace(ASK, dtype=dtype, pattern=pattern)
    if reason := kernel.supports(ask):
        pytest.skip(f"{kernel.name}: {reason}")
    for canvas, context in SHAPES:
        q, k, v, see = example(ask, canvas, context + canvas)
        found = kernel.run(q, k, v, see)
        assert found.dtype == dtype and found.shape == q.shape
        limit = TOLERANCE[dtype]
        torch.testing.assert_close(found, naive(q, k, v, see), atol=limit, rtol=limit)


def test_the_twin_itself_against_one_query_at_a_time():
    q, k, v, see = example(replace(ASK, dtype=torch.float32, pattern="length"), 3, 9)
    found = naive(q, k, v, see)
    for row, used in enumerate(see.length.tolist()):
        for head in range(6):
            keys, values = k[row, head // 3, :used], v[row, head // 3, :used]
            for i in range(3):
                weights = (keys @ q[row, head, i] / 8).softmax(0)
                torch.testing.assert_close(found[row, head, i], weights @ values)


def test_a_triangle_ends_at_the_length():
    see = Visibility(None, causal=True, length=torch.tensor([5, 3]))
    expected = [[[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]], [[1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]]]
    assert see.dense(2, 6, torch.device("cpu")).int().tolist() == expected


def test_keys_behind_the_length_do_not_matter():
    q, k, v, see = example(replace(ASK, dtype=torch.float32, pattern="length"), 4, 20)
    before = [BACKENDS.get(name)(q, k, v, see) for name in ("sdpa", "products", "naive", "auto")]
    k[1, :, 10:], v[1, :, 10:] = 99.0, -99.0  # the second row uses ten keys
    for name, was in zip(("sdpa", "products", "naive", "auto"), before, strict=True):
        assert torch.equal(BACKENDS.get(name)(q, k, v, see), was)


def test_choice_takes_the_first_that_serves_and_says_why_not_the_others():
    broken = Kernel("no such backend", "Broken", lambda ask: "")
    missing = Kernel("fa9", "Missing", lambda ask: "is not installed")
    kernels = (missing, broken, PLAIN, KERNELS[-1])
    found = choose(replace(ASK, dtype=torch.float32), kernels)
    assert found.kernel is PLAIN
    assert found.passed[0] == ("fa9", "is not installed")
    assert found.passed[1][1].startswith("failed its trial (UserError: Unknown attention backend")
    assert str(found).startswith("products; fa9 is not installed; no such backend failed")


def test_a_kernel_that_computes_something_else_is_found_out(monkeypatch):
    monkeypatch.setitem(
        BACKENDS._entries, "wrong", lambda q, k, v, see: naive(q, k, v.roll(1, 2), see)
    )
    said = trial(Kernel("wrong", "Wrong", lambda ask: ""), ASK)
    assert said.startswith("differed from the float32 twin by")


@pytest.mark.skipif(DEVICE.type == "cuda", reason="says what a machine without a GPU says")
def test_flash_kernels_say_what_they_lack_on_a_cpu():
    said = {kernel.name: kernel.supports(ASK) for kernel in KERNELS}
    assert said["sdpa"] == ""
    assert said["varlen"] in ("needs a CUDA device", "this torch has no varlen_attn") or (
        "takes no lengths" in said["varlen"]
    )
    assert all(said[name] for name in ("fa2", "fa3", "fa4"))
    assert choose(ASK).kernel.name == "sdpa"


def test_a_triangle_behind_a_cached_context_is_recognised():
    whole = Frame.shared(list(range(9))).marks
    see = Visibility.between(Marks(whole.groups[5:], whole.segments[5:]), whole)
    assert see.causal and see.mask is not None
    assert torch.equal(see.mask, Visibility(None, causal=True).dense(4, 9, torch.device("cpu")))
    assert Visibility.between(whole, whole) == Visibility(None, causal=True)
