"""Rows that hold their whole text: models in which everyone sees everyone, exactly or approximately.

In a full-attention network the context's keys and values change with every token of the gap, so nothing
can be cached exactly. Fast-dLLM's DualCache (arXiv 2505.22618) keeps them for some steps all the same:
in between only the gap is computed. It is used where it is asked for, never by default;
`engine.staleness` measures what it costs in accuracy.
"""

import torch
from torch import Tensor

from dcomplete.models.decoder import Decoder
from dcomplete.models.frame import Rows
from dcomplete.models.operations import KeyValues
from dcomplete.models.visibility import Marks, Visibility


class Recording:
    """Keeps the keys and values of a whole pass; see `decoder.KeyValues`."""

    def __init__(self) -> None:
        self.k: list[Tensor] = []
        self.v: list[Tensor] = []

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self.k.append(k.clone())
        self.v.append(v.clone())
        return k, v


class Patched:
    """An earlier pass's keys and values, those of the columns `inside` replaced; see `KeyValues`."""

    def __init__(self, before: Recording, inside: slice) -> None:
        self._before, self._inside = before, inside

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self._before.k[layer], self._before.v[layer]
        keys[:, :, self._inside] = k
        values[:, :, self._inside] = v
        return keys, values


class Batch:
    """One request's rows on a network. `refresh` is the number of steps for which the context's keys
    and values are kept: 1, the default, computes everything at every step and is exact."""

    def __init__(self, net: Decoder, refresh: int = 1) -> None:
        self.net, self.refresh = net, max(1, refresh)
        self.computed = 0  # tokens that went through the network
        self._age = 0
        self._kept = Recording()
        self._layout: Tensor | None = None  # segments and columns of the pass that was kept

    def states(self, rows: Rows) -> Tensor:
        """The state that predicts each cell, [R, W, D]."""
        device = self.net.norm.weight.device
        frame, size = rows.frame, (rows.batch, -1)
        ids, places = frame.ids.to(device).view(size), frame.positions.to(device).view(size)
        marks = frame.marks.to(device)
        marks = Marks(marks.groups.view(size), marks.segments.view(size))
        if self.refresh == 1:
            return self._run(ids, places, marks, marks, None).flatten(0, 1)[rows.at]
        columns = torch.tensor(rows.inside, device=device)
        layout = torch.cat([columns, marks.segments.flatten()])
        known = self._layout is not None and torch.equal(self._layout, layout)
        if not known or self._age >= self.refresh:
            self._kept, self._age, self._layout = Recording(), 1, layout
            return self._run(ids, places, marks, marks, self._kept).flatten(0, 1)[rows.at]
        self._age += 1
        part = slice(*rows.inside)
        mine = Marks(marks.groups[:, part], marks.segments[:, part])
        past = Patched(self._kept, part)
        hidden = self._run(ids[:, part], places[:, part], mine, marks, past)
        row, column = rows.at // ids.shape[1], rows.at % ids.shape[1]
        return hidden[row, column - part.start]

    def _run(
        self, ids: Tensor, places: Tensor, query: Marks, key: Marks, past: KeyValues | None
    ) -> Tensor:
        self.computed += ids.numel()
        hidden: Tensor = self.net(ids, places, Visibility.between(query, key), past)
        return hidden
