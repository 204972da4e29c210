"""Keys and values at fixed addresses, the context's length as data: for recorded steps."""

import torch
from torch import Tensor

from dcomplete.models.cache import ContextCache
from dcomplete.models.config import NetConfig


class StaticCache:
    """Buffers of `rows` contexts for up to `capacity` tokens each, k and v [layers, rows, capacity, KV, d].

    Heads stand inside tokens, as flash kernels read them. `length` int32 [rows] are the tokens of the
    context; a step writes its own behind them and the next one overwrites those. Nothing here waits
    for the device.
    """

    def __init__(
        self, config: NetConfig, rows: int, capacity: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        shape = (config.layers, rows, capacity, config.kv_heads, config.head_dim)
        self.k = torch.zeros(shape, dtype=dtype, device=device)
        self.v = torch.zeros(shape, dtype=dtype, device=device)
        self.length = torch.zeros(rows, dtype=torch.int32, device=device)
        self.rows, self.capacity = rows, capacity
        self.owner: object = None  # the request whose context this is
        self._slots = torch.zeros(0, dtype=torch.int64, device=device)

    @property
    def bytes(self) -> int:
        return 2 * self.k.numel() * self.k.element_size()

    def load(self, cache: ContextCache, owner: object) -> None:
        """Copy a context into every row: once a request."""
        n = cache.length
        for store, context in zip((self.k, self.v), cache.context(), strict=True):
            store[:, :, :n] = context.transpose(2, 3)
        self.length.fill_(n)
        self.owner = owner

    def save(self, cache: ContextCache, count: int) -> None:
        """Hand the `count` tokens behind the first row's context to `cache`, and make them part of it."""
        n = cache.length
        k, v = (store[:, :1, n : n + count].transpose(2, 3) for store in (self.k, self.v))
        cache.append(k, v)
        self.length.add_(count)

    def place(self, width: int) -> Tensor:
        """Positions [rows, width] of the next tokens of each row, which `extend` will write there."""
        device = self.length.device
        positions = self.length[:, None].long() + torch.arange(width, device=device)
        first = torch.arange(self.rows, device=device)[:, None] * self.capacity
        self._slots = (first + positions).flatten()
        return positions

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """See `decoder.KeyValues`; what is returned has scratch behind the tokens in use."""
        for store, fresh in ((self.k, k), (self.v, v)):
            tokens = store[layer].flatten(0, 1)  # [rows * capacity, KV, d]
            tokens.index_copy_(0, self._slots, fresh.transpose(1, 2).flatten(0, 1))
        return self.seen(layer)

    def seen(self, layer: int) -> tuple[Tensor, Tensor]:
        """The whole buffers of one layer, k and v [rows, KV, capacity, d]."""
        return self.k[layer].transpose(1, 2), self.v[layer].transpose(1, 2)
