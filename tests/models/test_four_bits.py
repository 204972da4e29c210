"""Matrices in their 4-bit blocks: the numbers of the dense ones, for a few rows."""

import pytest
import torch

from dcomplete.models import packing
from dcomplete.models.decoder import Decoder, unfilled
from dcomplete.models.four_bits import ROWS, FourBits, fits, four_bits_possible, works
from dcomplete.models.quant import FORMATS
from tests.conftest import TINY, make_family

CPU = torch.device("cpu")
Q4 = FORMATS["q4_1"]
needs_kernel = pytest.mark.skipif(
    not four_bits_possible(),
    reason="this processor or this torch has no fast product of 4-bit blocks",
)


def matrix(rows: int = 64, columns: int = 96) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Q4.quantize(torch.randn(rows, columns) + torch.randn(rows, 1))


@needs_kernel
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", range(1, ROWS + 1))
@pytest.mark.parametrize("height", [32, 64, 96, 160])
def test_blocks_multiply_as_the_dense_matrix_does(height, rows, dtype):
    parts = matrix(height)
    x = torch.randn(2, rows, 96, dtype=dtype)
    y = FourBits(parts)(x)
    expected = x.double() @ Q4.dequantize(parts).double().T
    assert (y.shape, y.dtype) == ((2, rows, height), dtype)
    apart = (y.double() - expected).norm() / expected.norm()
    assert apart < 0.005  # activations, scales and results have eight bits
    other = dict(parts, codes=parts["codes"].roll(1, 1))
    wrong = x.double() @ Q4.dequantize(other).double().T
    assert (y.double() - wrong).norm() / expected.norm() > 0.1  # the order of the codes matters


def test_what_the_kernel_cannot_take_is_told():
    assert fits(matrix(32, 64))
    assert not fits(matrix(48, 64))


def packed(dtype: str, quantised: bool, without: str = "") -> Decoder:
    """A tiny network laid out for this processor, its layers from 4-bit blocks, but one perhaps."""
    state, blocks = make_family().net.state_dict(), {}
    for name, value in state.items():
        if name.startswith("layers.") and value.dim() == 2:
            blocks[name] = Q4.quantize(value)
            state[name] = Q4.dequantize(blocks[name])
    blocks.pop(without, None)
    with unfilled():
        net = Decoder(TINY)
    packing.pack_for(net, state, CPU, dtype, blocks if quantised else None)
    return net.eval().requires_grad_(False)


@needs_kernel
@torch.inference_mode()
def test_a_layer_takes_its_blocks_for_few_rows_only():
    net, dense = packed("float32", True), packed("float32", False)
    assert packing.few_rows(net) == ROWS
    assert packing.few_rows(dense) == 0
    one, other = net.blocks[1].gate_up, dense.blocks[1].gate_up
    for rows in (1, ROWS):
        x = torch.randn(rows, TINY.hidden)
        assert not torch.equal(one(x), other(x))
        torch.testing.assert_close(one(x), other(x), rtol=0.02, atol=0.1)
    x = torch.randn(ROWS + 1, TINY.hidden)
    assert torch.equal(one(x), other(x))


@torch.inference_mode()
def test_without_blocks_of_every_layer_none_are_kept(monkeypatch):
    net = packed("float32", True, "layers.1.o.weight")
    assert packing.few_rows(net) == 0
    assert all(getattr(layer.qkv, "blocks", None) is None for layer in net.blocks)
    if packing.int8_possible():
        assert packing.few_rows(packed("int8", True)) == 0
    monkeypatch.setattr(packing, "four_bits_possible", lambda: False)  # as on ARM
    assert packing.few_rows(packed("float32", True)) == 0


def wrong(self, x):
    return torch.zeros(*x.shape[:-1], self.scales.shape[1])


def failing(self, x):
    raise RuntimeError("no such kernel")


@needs_kernel
@pytest.mark.parametrize("product", [wrong, failing])
def test_a_product_that_is_wrong_here_is_not_used_and_the_log_says_so(product, monkeypatch, caplog):
    assert works(matrix())
    monkeypatch.setattr(FourBits, "__call__", product)
    assert not works(matrix())
    assert packing.few_rows(packed("float32", True)) == 0
    assert "4-bit blocks are not used" in caplog.text


def test_where_the_kernel_is_slow_it_is_not_used(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr("sys.platform", "linux")
    assert four_bits_possible()
    monkeypatch.setattr("sys.platform", "win32")  # by Microsoft's compiler it is the plain loop
    assert not four_bits_possible()
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "DEFAULT")
    assert not four_bits_possible()
