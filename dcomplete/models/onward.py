"""A gap read from left to right a few tokens at a time, each of them once.

`Session.causal_states` reads a whole canvas anew, which is one pass of many rows; its twin here keeps the
keys and values of what it has read, for passes of one to a few rows.
"""

import torch
from torch import Tensor

from dcomplete.models.family import Session
from dcomplete.models.frame import Frame


class Onward:
    """What a session's weights expect behind each of a gap's first tokens."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: Frame = session.context  # whose keys and values stand in the cache
        self._states: Tensor | None = None  # [of the gap's tokens in it + 1, D]
        self._forwards = -1

    @property
    def possible(self) -> bool:
        """Whether the weights can be read so."""
        session = self._session
        return session.family.regime.onward(session.context, []) is not None

    @torch.inference_mode()
    def states(self, ids: list[int]) -> Tensor:
        """[len(ids) + 1, D]: what predicts the gap's first token, and the one behind each of `ids`.

        Costs a pass over the ids that are not known yet.
        """
        session = self._session
        session.prefill()
        whole = session.family.regime.onward(session.context, ids)
        assert whole is not None  # see `possible`
        states = self._kept()
        same = whole.reusable(self._read)
        if same < len(whole):
            hidden = session.read(whole, same)
            states = torch.cat([states[: same - len(session.context) + 1], hidden])
            self._read, self._states, self._forwards = whole, states, session.forwards
        return states[: len(ids) + 1]

    def _kept(self) -> Tensor:
        """What was read before, unless another pass has used its place since."""
        if self._states is None or self._forwards != self._session.forwards:
            edge = self._session.edge
            assert edge is not None  # the context is computed
            self._read, self._states = self._session.context, edge[None]
            self._forwards = self._session.forwards
        return self._states
