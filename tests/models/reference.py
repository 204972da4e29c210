"""The published modelling mathematics, written down plainly in float32: slow, and right by inspection.

Read in: HKUNLP/Dream model_dream.py, apple/ml-diffucoder (the same classes), pengzhangzhi/Open-dLLM
qwen2/modeling_qwen2.py, SalesforceAIResearch/CoDA modeling_coda.py, ZHZisZZ/dllm a2d models,
GSAI-ML/LLaDA-8B-Base modeling_llada.py, GSAI-ML/iLLaDA-8B-Base modeling_illada.py,
ByteDance-Seed/Stable-DiffCoder modeling_stable_diffcoder.py, JetAstra/SDAR modeling_sdar.py,
Efficient-Large-Model/Fast_dLLM_v2 modeling.py. They differ in names, in biases of q, k and v (Qwen2),
in norms of each head's q and k (Qwen3), and in who sees whom.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor


def logits(
    tensors: Mapping[str, Tensor],
    names: Mapping[str, str],
    shape: Mapping[str, float],
    ids: list[int],
    see: Tensor,
) -> Tensor:
    """Logits [T, vocab] of one sequence; see [T, T] says whether row q may look at column k.

    `names` are the checkpoint's tensor names, with {} for the layer's number; `shape` has layers,
    heads, kv, theta and eps.
    """
    x = tensors[names["table"]].float()[ids]
    for number in range(int(shape["layers"])):
        layer = {key: name.format(number) for key, name in names.items() if "{}" in name}
        x = x + attention(tensors, layer, shape, norm(x, tensors[layer["norm1"]], shape), see)
        h = norm(x, tensors[layer["norm2"]], shape)
        gate, up = h @ tensors[layer["gate"]].T, h @ tensors[layer["up"]].T
        x = x + (gate * torch.sigmoid(gate) * up) @ tensors[layer["down"]].T  # SiLU(gate) * up
    x = norm(x, tensors[names["norm"]], shape)
    head = names["head"] if names["head"] in tensors else names["table"]  # a tied head is the table
    return x @ tensors[head].T


def norm(x: Tensor, weight: Tensor, shape: Mapping[str, float]) -> Tensor:
    return weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + shape["eps"])


def attention(
    tensors: Mapping[str, Tensor],
    layer: Mapping[str, str],
    shape: Mapping[str, float],
    x: Tensor,
    see: Tensor,
) -> Tensor:
    heads, kv = int(shape["heads"]), int(shape["kv"])
    q, k, v = (project(tensors, layer[n], x) for n in "qkv")
    d = q.shape[1] // heads
    out = []
    for head in range(heads):
        group = head // (heads // kv)
        one_q, one_k = q[:, head * d : (head + 1) * d], k[:, group * d : (group + 1) * d]
        if "q_norm" in layer:  # over one head's numbers, before they are turned
            one_q = norm(one_q, tensors[layer["q_norm"]], shape)
            one_k = norm(one_k, tensors[layer["k_norm"]], shape)
        scores = turn(one_q, shape["theta"]) @ turn(one_k, shape["theta"]).T / math.sqrt(d)
        weights = scores.masked_fill(~see, float("-inf")).softmax(-1)
        out.append(weights @ v[:, group * d : (group + 1) * d])
    return torch.cat(out, 1) @ tensors[layer["o"]].T


def project(tensors: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    y = x @ tensors[name].T
    bias = tensors.get(name.removesuffix("weight") + "bias")
    return y if bias is None else y + bias


def turn(x: Tensor, theta: float) -> Tensor:
    """Rotary positions: numbers i and i + d/2 of row p turn by the angle p / theta^(2i/d)."""
    d = x.shape[1]
    y = x.clone()
    for i in range(d // 2):
        angle = torch.arange(len(x)).double() / theta ** (2 * i / d)
        cos, sin = angle.cos().float(), angle.sin().float()
        a, b = x[:, i], x[:, i + d // 2]
        y[:, i], y[:, i + d // 2] = a * cos - b * sin, b * cos + a * sin
    return y


def everyone(count: int) -> Tensor:
    """Full attention: Dream, LLaDA, CoDA, Open-dCoder."""
    return torch.ones(count, count, dtype=torch.bool)


def staircase(count: int, size: int, late: int = 0) -> Tensor:
    """A token sees its own block and those before it (SDAR generate.py, block_diffusion_attention_mask;
    Fast-dLLM v2 eval_block_diff_mask; Stable-DiffCoder _make_block_causal_mask). dllm pads the prompt
    on the left to whole blocks: then `late` columns are missing from the first block."""
    block = (torch.arange(count) + late) // size
    return block[None, :] <= block[:, None]


def shifted(found: Tensor) -> Tensor:
    """``torch.cat([logits[:, :1], logits[:, :-1]], dim=1)`` as Dream, CoDA and others do."""
    return torch.cat([found[:1], found[:-1]])
