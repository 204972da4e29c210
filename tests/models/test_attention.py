"""Every attention backend equals the naive float32 twin."""

import pytest
import torch

from dcomplete.models.attention import BACKENDS, naive
from dcomplete.models.visibility import Visibility

CASES = {
    "all": lambda t, s: Visibility(None),
    "causal": lambda t, s: Visibility(None, causal=True),
    "mask": lambda t, s: Visibility(torch.rand(t, s).gt(0.4) | (torch.arange(s) == 0)),
    "mask per row": lambda t, s: Visibility(torch.rand(2, t, s).gt(0.4) | (torch.arange(s) == 0)),
}


# the flash kernels have a test of their own, in test_kernels
@pytest.mark.parametrize("name", ["auto", "sdpa", "products"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("heads", "kv"), [(9, 3), (4, 4), (6, 1)])
@pytest.mark.parametrize(("t", "s"), [(1, 1), (7, 40), (64, 300)])
def test_backend_equals_naive(name, case, dtype, heads, kv, t, s):
    torch.manual_seed(t + s)
    s = t if case == "causal" else s
    q, k, v = (torch.randn(2, h, n, 16, dtype=dtype) for h, n in ((heads, t), (kv, s), (kv, s)))
    see = CASES[case](t, s)
    with torch.inference_mode():  # where the fast paths are
        out = BACKENDS.get(name)(q, k, v, see)
    assert out.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(
        BACKENDS.get(name)(q, k, v, see), out, atol=tolerance, rtol=tolerance
    )
    torch.testing.assert_close(out, naive(q, k, v, see), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("heads", "kv"), [(9, 3), (4, 4), (6, 1)])
@pytest.mark.parametrize(("t", "s"), [(1, 5), (7, 40), (64, 300)])
def test_a_mask_folded_for_all_layers_says_the_same(dtype, heads, kv, t, s):
    torch.manual_seed(t + s)
    q, k, v = (torch.randn(2, h, n, 16, dtype=dtype) for h, n in ((heads, t), (kv, s), (kv, s)))
    see = Visibility(torch.rand(t, s).gt(0.4) | (torch.arange(s) == 0))
    folded = see.folded(heads // kv, dtype)
    assert folded.bias is not None and folded.bias.shape == (heads // kv * t, s)
    with torch.inference_mode():
        out = BACKENDS.get("auto")(q, k, v, folded)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(out, naive(q, k, v, see), atol=tolerance, rtol=tolerance)


def test_only_one_mask_for_all_rows_is_folded():
    for see in (Visibility(None), Visibility(torch.ones(2, 3, 4, dtype=torch.bool))):
        assert see.folded(3, torch.float32) is see


@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_those_of_the_naive_twin(case):
    """In training on a CPU `auto` takes a path of its own."""
    torch.manual_seed(0)
    see = CASES[case](24, 24)

    def gradients(attend):
        torch.manual_seed(1)
        parts = [torch.randn(2, h, 24, 16, requires_grad=True) for h in (6, 2, 2)]
        attend(*parts, see).square().sum().backward()
        return [p.grad for p in parts]

    for ours, true in zip(gradients(BACKENDS.get("auto")), gradients(naive), strict=True):
        torch.testing.assert_close(ours, true, atol=1e-4, rtol=1e-4)
