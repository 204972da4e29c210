"""Finished candidates of different lengths compared by one causal reading, as PILL (2026) does.

A candidate is worth half the mean log-probability of its tokens and half that of the first tokens behind
it: too short or too long a gap makes what follows unlikely. The weights were trained to see both sides;
read from left to right they still tell the candidates apart.
"""

import torch
from torch import Tensor

from dcomplete.models.decoder import Decoder
from dcomplete.models.regimes import Prompt
from dcomplete.models.specials import Specials
from dcomplete.models.visibility import SHARED, Marks, Visibility

_BEHIND = 8  # tokens of the suffix that count; the paper takes 4 to 8


@torch.inference_mode()
def judge(
    net: Decoder, specials: Specials, shift: bool, prompt: Prompt, candidates: list[list[int]]
) -> list[float]:
    """The worth of each candidate in nats; all in one forward pass."""
    before = [*([] if specials.bos is None else [specials.bos]), *prompt.prefix]
    behind = prompt.suffix[:_BEHIND]
    texts = [[*before, *tokens, *behind] for tokens in candidates]
    if shift and not before:
        texts, before = [[specials.mask, *text] for text in texts], [specials.mask]
    width = max(map(len, texts))
    ids = torch.tensor([text + [specials.mask] * (width - len(text)) for text in texts])
    ids = ids.to(net.norm.weight.device)
    read = _shifted if shift else _masked
    nats = read(net, specials.mask, ids, len(before))  # [R, width - before]
    worth = []
    for row, tokens in enumerate(candidates):
        own, next_ = nats[row, : len(tokens)], nats[row, len(tokens) :][: len(behind)]
        parts = [part.mean().item() for part in (own, next_) if len(part)]
        worth.append(sum(parts) / max(1, len(parts)))
    return worth


def _shifted(net: Decoder, mask: int, ids: Tensor, start: int) -> Tensor:
    """Log-probabilities of ids[:, start:], each by the state of the token before it."""
    places = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
    hidden = net(ids, places, Visibility(None, causal=True))[:, start - 1 : -1]
    return _own(net, hidden, ids[:, start:])


def _masked(net: Decoder, mask: int, ids: Tensor, start: int) -> Tensor:
    """The same for models that predict a token at its own place: there, a mask that sees all before.

    All masks of a row go through the network together with the text, each unseen by the others.
    """
    rows, width = ids.shape
    place = torch.arange(width, device=ids.device)
    asked = place[start:]
    masks = torch.full((rows, len(asked)), mask, device=ids.device)
    groups = torch.cat([place, asked - 1])
    segments = torch.cat([torch.full_like(place, SHARED), 1 + torch.arange(len(asked)).to(place)])
    marks = Marks(groups.expand(rows, -1), segments.expand(rows, -1))
    places = torch.cat([place, asked]).expand(rows, -1)
    see = Visibility.between(marks, marks)
    hidden = net(torch.cat([ids, masks], 1), places, see)[:, width:]
    return _own(net, hidden, ids[:, start:])


def _own(net: Decoder, hidden: Tensor, ids: Tensor) -> Tensor:
    nats = net.head(hidden).float().log_softmax(-1)
    return nats.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
