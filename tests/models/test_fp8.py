"""8-bit weights: the product of the rounded numbers, close to the whole network, refused elsewhere."""

import pytest
import torch

from dcomplete.bench.shapes import random_family
from dcomplete.errors import UserError
from dcomplete.models.fp8 import Float8Linear, quantize, replace_layers, why_not
from dcomplete.models.packing import pack_for
from dcomplete.models.visibility import Visibility

CPU = torch.device("cpu")


def test_layer_equals_the_product_of_the_rounded_numbers():
    torch.manual_seed(0)
    weight, bias = torch.randn(48, 32).bfloat16(), torch.randn(48).bfloat16()
    x = torch.randn(2, 5, 32).bfloat16()
    layer = Float8Linear(weight, bias)
    (wide, scale), (codes, row) = quantize(weight), quantize(x.flatten(0, 1))
    expected = (codes.float() * row) @ (wide.float() * scale).T + bias.float()
    torch.testing.assert_close(layer(x).flatten(0, 1).float(), expected, atol=0.05, rtol=0.02)


def test_scales_keep_every_row_within_range():
    x = torch.tensor([[0.0, 0.0], [1e-3, -2e-3], [3e4, 1.0]])
    codes, scale = quantize(x)
    back = codes.float() * scale
    assert back.isfinite().all() and torch.equal(back[0], x[0])
    torch.testing.assert_close(back[1:, 0], x[1:, 0], atol=0, rtol=0.07)


def test_network_stays_close():
    family = random_family("tiny", CPU, torch.bfloat16)
    ids, places = torch.arange(20)[None], torch.arange(20)[None]
    before = family.net(ids, places, Visibility(None)).float()
    replace_layers(family.net)
    after = family.net(ids, places, Visibility(None)).float()
    assert not torch.equal(before, after)
    assert torch.nn.functional.cosine_similarity(before, after, dim=-1).min() > 0.99


def test_a_cpu_is_refused_with_a_sentence():
    assert why_not(CPU) == "fp8 needs a CUDA device"
    with pytest.raises(UserError, match="use --dtype bfloat16"):
        pack_for(random_family("tiny", CPU, torch.bfloat16).net, {}, CPU, "fp8")
