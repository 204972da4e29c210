"""`dcomplete/watch`: see it denoise. `dcomplete/compare` and `dcomplete/vote`: choose blindly."""

import asyncio
import random
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from dcomplete.document import Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.types import Cell
from dcomplete_lsp.asking import field, read_ask
from dcomplete_lsp.server import Server
from dcomplete_lsp.suggesting import inline_item, suggest

WATCH = "dcomplete/watch"
COMPARE = "dcomplete/compare"
VOTE = "dcomplete/vote"
CHOICES = ("first", "second", "tie", "neither")
_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class Contestant:
    """What takes part in a comparison; "" is what the settings say."""

    model: str = ""
    policy: str = ""

    def as_json(self) -> dict[str, str]:
        return {"model": self.model, "policy": self.policy}


class Arena:
    """Comparisons whose names are not told yet. The person votes without knowing who is who."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Contestant, ...]] = OrderedDict()

    def register(self, server: Server) -> None:
        """Answer the requests of this module."""
        server.on(WATCH, watch)
        server.on(COMPARE, self.compare)
        server.on(VOTE, self.vote)

    async def compare(self, ls: Server, params: Any) -> dict[str, Any] | None:
        """Parameters as inlineCompletion, and `contestants`: two of `{model?, policy?}`.

        Answers `{id, items}` with an item or null each, in random order.
        """
        contestants = _contestants(params)
        snapshot = read_ask(ls, params, COMPARE)
        if snapshot is None:
            return None
        random.SystemRandom().shuffle(contestants)
        items = []
        for contestant in contestants:  # in turn: a newer request would overtake an older one
            try:
                items.append(await _answer(ls, snapshot, contestant))
            except Refusal as refusal:
                if refusal.reason is Reason.SUPERSEDED:
                    return None
                items.append(None)
        id = secrets.token_hex(8)
        self._open[id] = tuple(contestants)
        while len(self._open) > _REMEMBERED:
            self._open.popitem(last=False)
        return {"id": id, "items": items}

    async def vote(self, ls: Server, params: Any) -> dict[str, Any]:
        """`{id, choice}` to the names. The vote is kept in the local file of outcomes."""
        id, choice = field(params, "id", str, VOTE), field(params, "choice", str, VOTE)
        if choice not in CHOICES:
            raise JsonRpcInvalidParams(f"A choice is one of {', '.join(CHOICES)}.")
        if id not in self._open:
            raise JsonRpcInvalidParams("There is no comparison of this id to vote on.")
        first, second = (contestant.as_json() for contestant in self._open.pop(id))
        ls.outcomes.append({"event": "vote", "choice": choice, "first": first, "second": second})
        return {"first": first, "second": second}


async def watch(ls: Server, params: Any) -> dict[str, Any] | None:
    """As an inlineCompletion by the person, and `$/progress` for every denoise step.

    Progress goes to `partialResultToken` as `{step, rows}`, a row being cells `{text, pinned}`.
    """
    snapshot = read_ask(ls, params, WATCH)
    if snapshot is None:
        return None
    token: Any = params.get("partialResultToken")
    loop = asyncio.get_running_loop()

    def step(number: int, rows: list[list[Cell]]) -> None:
        cells = [[{"text": c.text, "pinned": c.pinned} for c in row] for row in rows]
        progress = types.ProgressParams(token, {"step": number, "rows": cells})
        loop.call_soon_threadsafe(ls.protocol.notify, types.PROGRESS, progress)

    found = await suggest(ls, snapshot, 1, step if isinstance(token, str | int) else None)
    if found is None:
        return None
    await asyncio.sleep(0)  # the last step's progress goes before the answer
    return {"items": [inline_item(ls, snapshot, suggestion) for suggestion in found]}


def _contestants(params: Any) -> list[Contestant]:
    given = field(params, "contestants", list, COMPARE)
    if len(given) != 2:
        raise JsonRpcInvalidParams("A comparison has two contestants.")
    return [_contestant(one) for one in given]


def _contestant(raw: Any) -> Contestant:
    if not isinstance(raw, dict):
        raise JsonRpcInvalidParams("A contestant is an object with a model, a policy, or both.")
    both = {"model": "", "policy": "", **raw}
    return Contestant(field(both, "model", str, COMPARE), field(both, "policy", str, COMPARE))


async def _answer(server: Server, snapshot: Snapshot, contestant: Contestant) -> Any:
    work = server.backend.completer.complete(
        snapshot, model=contestant.model, policy=contestant.policy
    )
    found = await server.overtaking.run(snapshot.uri, work)
    return inline_item(server, snapshot, found[0])
