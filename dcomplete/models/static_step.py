"""Passes of fixed shape over buffers that stay where they are: what can be recorded."""

import torch
from torch import Tensor

from dcomplete.models.canvas import VOID, Canvas
from dcomplete.models.decoder import Decoder
from dcomplete.models.recording import Body
from dcomplete.models.static_cache import StaticCache
from dcomplete.models.visibility import Visibility


class StaticStep:
    """The network over `rows` canvases of `width` cells behind the contexts of `cache`.

    dcomplete's own layout: cells see their context and their own row's cells, and the state before a
    cell predicts it.
    """

    def __init__(self, net: Decoder, cache: StaticCache, width: int) -> None:
        self.net, self.cache, self.width = net, cache, width
        like = net.norm.weight
        self.ids = torch.zeros(cache.rows, width, dtype=torch.int64, device=like.device)
        self.used = torch.ones(cache.rows, dtype=torch.int32, device=like.device)  # cells of a row
        self.edge = like.new_zeros(net.config.hidden)  # the context's last state
        self.states = like.new_zeros(cache.rows, width, net.config.hidden)
        self.run: Body = self.body

    def body(self) -> None:
        """Compute `states` from `ids`, `used`, `edge` and the cache."""
        positions = self.cache.place(self.width)
        see = Visibility(None, length=self.cache.length + self.used)
        hidden = self.net(self.ids, positions, see, self.cache)
        self.states[:, 0] = self.edge
        self.states[:, 1:] = hidden[:, :-1]

    def fill(self, canvas: Canvas, edge: Tensor) -> None:
        """Write a canvas that fits, on the step's device; rows to spare repeat nothing that is read."""
        self.ids[: canvas.rows, : canvas.width] = canvas.ids
        self.used[: canvas.rows] = (canvas.gap != VOID).sum(-1)
        self.edge.copy_(edge)


class StaticRead:
    """The network over the next `width` tokens of one context, read causally: what was typed since."""

    def __init__(self, net: Decoder, cache: StaticCache, width: int) -> None:
        self.net, self.cache, self.width = net, cache, width
        like = net.norm.weight
        self.ids = torch.zeros(cache.rows, width, dtype=torch.int64, device=like.device)
        self.states = like.new_zeros(cache.rows, width, net.config.hidden)
        self.run: Body = self.body

    def body(self) -> None:
        """Compute `states` from `ids` and the cache; ids behind those in use are seen by none of them."""
        positions = self.cache.place(self.width)
        see = Visibility(None, causal=True, length=self.cache.length + self.width)
        self.states.copy_(self.net(self.ids, positions, see, self.cache))
