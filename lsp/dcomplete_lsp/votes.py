"""The editor's way to the store of votes, which the evaluation harness reads.

Nothing that goes wrong with it may cost the person an answer: it is noted in the log once.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from dcomplete.errors import UserError
from dcomplete.votes.order import first_is_first
from dcomplete.votes.types import Choice, Pair, new_id

if TYPE_CHECKING:  # most sittings have no vote: the database is imported with the first
    from dcomplete.votes.store import VoteStore

T = TypeVar("T")

log = logging.getLogger(__name__)


class Votes:
    """The store, opened when it is first needed. Its work is done beside the event loop."""

    def __init__(self) -> None:
        self.session = new_id()
        self._store: VoteStore | None = None
        self._one_at_a_time = asyncio.Lock()
        self._told = False

    async def in_order(self, one: str, other: str) -> bool:
        """Whether `one` is to be shown first."""
        known = await self._do(lambda store: store.orders(one, other))
        return first_is_first(*(known or (0, 0)), random.SystemRandom())

    async def record(self, pair: Pair, choice: Choice, after_ms: float, code: bool) -> bool:
        """Keep a pair and the vote on it; whether that worked."""

        def keep(store: "VoteStore") -> bool:
            store.add(pair, code)
            store.vote(pair.id, choice, after_ms=after_ms)
            return True

        return bool(await self._do(keep))

    async def keep(self, id: str, after_s: int, share: float) -> None:
        """Keep what share of the chosen answer is still there."""
        await self._do(lambda store: store.keep(id, after_s, share))

    async def close(self) -> None:
        """Let go of the store."""
        async with self._one_at_a_time:
            if self._store is not None:
                self._store.close()
                self._store = None

    async def _do(self, work: "Callable[[VoteStore], T]") -> T | None:
        async with self._one_at_a_time:
            try:
                return await asyncio.to_thread(self._opened, work)
            except UserError as error:
                if not self._told:
                    self._told = True
                    cause = type(error.__cause__ or error).__name__
                    log.warning("Votes cannot be kept (%s).", cause)  # paths stay out of the log
                return None

    def _opened(self, work: "Callable[[VoteStore], T]") -> T:
        from dcomplete.votes.store import VoteStore

        if self._store is None:
            self._store = VoteStore()
        return work(self._store)
