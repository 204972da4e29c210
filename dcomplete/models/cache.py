"""Exact key/value caches: a context computed once serves every step, canvas and later request."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.models.config import NetConfig
from dcomplete.models.frame import Frame

_STEP = 256  # capacity grows by this many tokens
_LITTLE = 256  # tokens that are computed anew quickly


class ContextCache:
    """Static buffers of one context, keys and values [layers, 1, KV, capacity, d] each.

    Tokens behind `length` are scratch: a denoise step writes its canvas there and the next one
    overwrites it, so that no step copies the context.
    """

    def __init__(self, config: NetConfig, dtype: torch.dtype, device: torch.device) -> None:
        self.config, self.dtype, self.device = config, dtype, device
        self.frame = Frame.shared([])
        self.last: Tensor | None = None  # [D], what a request left as the state of the last token
        self._k = self._empty(0)
        self._v = self._empty(0)
        self._new = 0

    @property
    def length(self) -> int:
        return len(self.frame)

    @property
    def bytes(self) -> int:
        return 2 * self._k.numel() * self._k.element_size()

    def keep(self, frame: Frame, length: int) -> None:
        """Remember that the first `length` tokens are those of `frame`."""
        self.frame = frame[:length]

    def room(self, new: int) -> None:
        """Make place for `new` tokens behind the context, and have `extend` write there."""
        self._new = new
        need = self.length + new
        if need > self._k.shape[3]:
            self._k, self._v = (self._grown(store, need) for store in (self._k, self._v))

    def _empty(self, capacity: int) -> Tensor:
        c = self.config
        shape = (c.layers, 1, c.kv_heads, capacity, c.head_dim)
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def _grown(self, store: Tensor, need: int) -> Tensor:
        fresh = self._empty(-(-need // _STEP) * _STEP)
        fresh[:, :, :, : self.length] = store[:, :, :, : self.length]
        return fresh

    def context(self) -> tuple[Tensor, Tensor]:
        """The context's own keys and values, views [layers, 1, KV, length, d]."""
        return self._k[:, :, :, : self.length], self._v[:, :, :, : self.length]

    def append(self, k: Tensor, v: Tensor) -> None:
        """Write keys and values [layers, 1, KV, T, d] behind the context; `keep` makes them part of it."""
        self.room(k.shape[3])
        end = self.length + k.shape[3]
        self._k[:, :, :, self.length : end] = k
        self._v[:, :, :, self.length : end] = v

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """See `decoder.KeyValues`."""
        start, end = self.length, self.length + self._new
        keys, values = self._k[layer], self._v[layer]
        keys[:, :, start:end] = k
        values[:, :, start:end] = v
        return keys[:, :, :end], values[:, :, :end]


def _worth(reuse: int, cached: int, wanted: int) -> bool:
    """Whether to give up what else is cached: most of it stays, or little that is large is lost."""
    return 2 * reuse >= cached or (2 * reuse >= wanted and cached - reuse <= _LITTLE)


@dataclass(slots=True)
class _Slot:
    cache: ContextCache
    used: int
    held: bool = False  # by a request that runs


class CachePool:
    """A few contexts, least recently used out first; a request takes the one it can reuse most of.

    A cache belongs to one request at a time: what is taken is given back.
    """

    def __init__(
        self, config: NetConfig, dtype: torch.dtype, device: torch.device, slots: int = 4
    ) -> None:
        self._config, self._dtype, self._device = config, dtype, device
        self._slots: list[_Slot] = []
        self._limit = slots
        self._clock = 0

    def take(self, frame: Frame) -> tuple[ContextCache, int]:
        """The best free cache for `frame`, and how many of its leading tokens are valid there."""
        self._clock += 1
        free = [s for s in self._slots if not s.held]
        scored = [(frame.reusable(s.cache.frame), s) for s in free]
        reuse, slot = max(scored, key=lambda pair: (pair[0], pair[1].used), default=(0, None))
        worth = slot is not None and _worth(reuse, slot.cache.length, len(frame))
        if not worth and len(self._slots) < self._limit:
            slot, reuse = self._fresh(), 0
            self._slots.append(slot)
        elif slot is None:  # all are held: a cache for this request alone
            slot, reuse = self._fresh(), 0
        elif not worth:
            slot = min(free, key=lambda s: s.used)
            reuse = frame.reusable(slot.cache.frame)
        slot.used, slot.held = self._clock, True
        return slot.cache, reuse

    def give(self, cache: ContextCache) -> None:
        """The request that took `cache` is done with it."""
        for slot in self._slots:
            if slot.cache is cache:
                slot.held = False

    def _fresh(self) -> _Slot:
        return _Slot(ContextCache(self._config, self._dtype, self._device), 0)

    def clear(self) -> None:
        self._slots.clear()

    @property
    def bytes(self) -> int:
        return sum(s.cache.bytes for s in self._slots)
