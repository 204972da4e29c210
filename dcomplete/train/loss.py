"""The objective of one batch, and who sees whom in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dcomplete.models.decoder import Decoder
from dcomplete.models.visibility import SHARED, Visibility, visible
from dcomplete.train.batch import Batch
from dcomplete.train.noise import IGNORE

_CHUNK = 8_192  # positions whose logits are in memory at once, on a GPU


class See(Protocol):
    """A batch to what attention needs: the dense twin, or a block mask on a GPU."""

    def __call__(self, batch: Batch) -> Visibility: ...


def dense(batch: Batch) -> Visibility:
    """The visibility rule within each document, as a boolean [B, T, T]. Padding sees itself."""
    same = batch.documents.unsqueeze(-1) == batch.documents.unsqueeze(-2)
    return Visibility(visible(batch.marks, batch.marks) & same)


def flex(batch: Batch) -> Visibility:
    """The same rule for FlexAttention: blocks that nobody sees are never computed."""
    from torch.nn.attention.flex_attention import create_block_mask

    groups, segments, documents = batch.marks.groups, batch.marks.segments, batch.documents

    def rule(b: Tensor, head: Tensor, q: Tensor, k: Tensor) -> Tensor:
        earlier = groups[b, k] <= groups[b, q]
        shared = (segments[b, k] == SHARED) | (segments[b, k] == segments[b, q])
        return earlier & shared & (documents[b, k] == documents[b, q])

    rows, length = batch.ids.shape
    make = _compiled(create_block_mask) if batch.ids.is_cuda else create_block_mask
    block = make(rule, rows, None, length, length, device=batch.ids.device)
    return Visibility(None, block=block)


@cache
def _compiled(function: Any) -> Any:
    return torch.compile(function)


@dataclass(frozen=True, slots=True)
class Share:
    """What a step's sums are divided by: all its weights and rows, in however many parts it is computed."""

    weight: float
    rows: float

    @staticmethod
    def of(batches: Iterable[Batch]) -> "Share":
        weight = rows = 0.0
        for batch in batches:
            weight += float(batch.weights[_chosen(batch)].sum())
            rows += len(batch.length_bin)
        return Share(weight or 1.0, rows or 1.0)


@dataclass(frozen=True, slots=True)
class Losses:
    """What is minimised, a part of the step's whole, and means of this batch in nats."""

    total: Tensor
    canvas: Tensor  # mean over masked tokens and the first filler, which says where a gap ends
    clean: Tensor  # mean over the causal stream
    length: Tensor  # mean of the length head


def losses(
    net: Decoder,
    head: nn.Module,
    batch: Batch,
    length_weight: float,
    see: See,
    share: Share | None = None,
) -> Losses:
    """The objective; `share` is the whole step's, where the batch is a part of one.

    The vocabulary is projected to only where something is predicted.
    """
    share = share or Share.of([batch])
    hidden = net(batch.ids, batch.positions, see(batch))  # [B, T, D]
    chosen = _chosen(batch)
    weight, target = batch.weights[chosen], batch.targets[chosen]
    nats = _nats(net, hidden[chosen], target)
    guess = head(hidden[batch.middle_at[:, 0], batch.middle_at[:, 1]].float())
    length = F.cross_entropy(guess.float(), batch.length_bin, reduction="sum")
    detached, in_canvas = nats.detach(), batch.marks.segments[chosen] > 0
    return Losses(
        (nats * weight).sum() / share.weight + length_weight * length / share.rows,
        detached[in_canvas & (weight == 1.0)].mean(),
        detached[~in_canvas].mean(),
        length.detach() / len(batch.length_bin),
    )


def _chosen(batch: Batch) -> Tensor:
    """Where something is predicted, [B, T]."""
    return (batch.targets != IGNORE) & (batch.weights > 0)


def _nats(net: Decoder, states: Tensor, target: Tensor) -> Tensor:
    """Cross entropy [N]; on a GPU in chunks of one size, computed again in the backward pass."""
    if not states.is_cuda:
        return _cross(net, states, target)
    missing = -len(target) % _CHUNK
    states, padded = F.pad(states, (0, 0, 0, missing)), F.pad(target, (0, missing), value=IGNORE)
    pairs = zip(torch.split(states, _CHUNK), torch.split(padded, _CHUNK), strict=True)
    some = _compiled(_cross)
    parts = [checkpoint(some, net, x, y, use_reentrant=False) for x, y in pairs]
    return torch.cat(parts)[: len(target)]


def _cross(net: Decoder, states: Tensor, target: Tensor) -> Tensor:
    logits = net.head(states).float()
    return F.cross_entropy(logits, target, reduction="none", ignore_index=IGNORE)
