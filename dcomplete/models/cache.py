"""Exact key/value caches: a context computed once serves every step, canvas and later request."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcomplete.models.config import NetConfig
from dcomplete.models.frame import Frame

_STEP = 256  # capacity grows by this many tokens


class ContextCache:
    """Static buffers of one context, per layer [1, KV, capacity, d].

    Tokens behind `length` are scratch: a denoise step writes its canvas there and the next one
    overwrites it, so that no step copies the context.
    """

    def __init__(self, config: NetConfig, dtype: torch.dtype, device: torch.device) -> None:
        self.config, self.dtype, self.device = config, dtype, device
        self.frame = Frame.shared([])
        self._k: list[Tensor] = []
        self._v: list[Tensor] = []
        self._capacity = 0
        self._new = 0

    @property
    def length(self) -> int:
        return len(self.frame)

    @property
    def bytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (*self._k, *self._v))

    def keep(self, frame: Frame, length: int) -> None:
        """Remember that the first `length` tokens are those of `frame`."""
        self.frame = frame[:length]

    def room(self, new: int) -> None:
        """Make place for `new` tokens behind the context, and have `extend` write there."""
        self._new = new
        need = self.length + new
        if need <= self._capacity:
            return
        capacity = -(-need // _STEP) * _STEP
        shape = (1, self.config.kv_heads, capacity, self.config.head_dim)
        for store in (self._k, self._v):
            for index in range(self.config.layers):
                fresh = torch.zeros(shape, dtype=self.dtype, device=self.device)
                if store is not None and len(store) > index:
                    fresh[:, :, : self.length] = store[index][:, :, : self.length]
                    store[index] = fresh
                else:
                    store.append(fresh)
        self._capacity = capacity

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """See `decoder.KeyValues`."""
        start, end = self.length, self.length + self._new
        keys, values = self._k[layer], self._v[layer]
        keys[:, :, start:end] = k
        values[:, :, start:end] = v
        return keys[:, :, :end], values[:, :, :end]


@dataclass(slots=True)
class _Slot:
    cache: ContextCache
    used: int


class CachePool:
    """A few contexts, least recently used out first; a request takes the one it can reuse most of."""

    def __init__(
        self, config: NetConfig, dtype: torch.dtype, device: torch.device, slots: int = 4
    ) -> None:
        self._config, self._dtype, self._device = config, dtype, device
        self._slots: list[_Slot] = []
        self._limit = slots
        self._clock = 0

    def take(self, frame: Frame) -> tuple[ContextCache, int]:
        """The best cache for `frame`, and how many of its leading tokens are valid there."""
        self._clock += 1
        scored = [(frame.reusable(s.cache.frame), s) for s in self._slots]
        reuse, slot = max(scored, key=lambda pair: (pair[0], pair[1].used), default=(0, None))
        worth = slot is not None and 2 * reuse >= slot.cache.length  # else keep both contexts
        if slot is None or (not worth and len(self._slots) < self._limit):
            cache = ContextCache(self._config, self._dtype, self._device)
            slot, reuse = _Slot(cache, 0), 0
            self._slots.append(slot)
        elif not worth:
            slot = min(self._slots, key=lambda s: s.used)
            reuse = frame.reusable(slot.cache.frame)
        slot.used = self._clock
        return slot.cache, reuse

    def clear(self) -> None:
        self._slots.clear()

    @property
    def bytes(self) -> int:
        return sum(s.cache.bytes for s in self._slots)
