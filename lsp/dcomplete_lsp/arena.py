"""`dcomplete/watch`: see it denoise. `dcomplete/compare` and `dcomplete/vote`: choose blindly."""

import asyncio
import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from dcomplete.document import Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.types import Cell, Stopwatch, Suggestion
from dcomplete.votes.types import CHOICES, Choice, Pair, Side
from dcomplete_lsp.asking import field, read_ask
from dcomplete_lsp.server import Server
from dcomplete_lsp.suggesting import inline_item, suggest

WATCH = "dcomplete/watch"
COMPARE = "dcomplete/compare"
VOTE = "dcomplete/vote"
_REMEMBERED = 100
# Nobody was asked, so nobody said "nothing".
_FAILED = {Reason.NO_ENGINE, Reason.BUSY, Reason.LOADING}


@dataclass(frozen=True, slots=True)
class Contestant:
    """What takes part in a comparison; "" is what the settings say."""

    model: str = ""
    policy: str = ""

    def as_json(self) -> dict[str, str]:
        return {"model": self.model, "policy": self.policy}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a contestant suggests; None where nothing belongs."""

    contestant: Contestant
    side: Side
    suggestion: Suggestion | None
    item: Any  # as the editor takes it; its range is of the document that was asked about


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two answers in the order they were shown, kept until the vote."""

    pair: Pair
    answers: tuple[_Answer, _Answer]
    uri: str
    since: Stopwatch

    def chosen(self, choice: Choice) -> Suggestion | None:
        """What the editor puts into the text."""
        sides = {"first": self.answers[0], "second": self.answers[1]}
        return sides[choice].suggestion if choice in sides else None


class Arena:
    """Comparisons whose names are not told yet. The person votes without knowing who is who."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Comparison] = OrderedDict()

    def register(self, server: Server) -> None:
        """Answer the requests of this module."""
        server.on(WATCH, watch)
        server.on(COMPARE, self.compare)
        server.on(VOTE, self.vote)

    async def compare(self, ls: Server, params: Any) -> dict[str, Any] | None:
        """Parameters as inlineCompletion, and `contestants`: two of `{model?, policy?}`.

        Answers `{id, items}` with an item or null each, in an order that nobody can foresee.
        """
        contestants = _contestants(params)
        snapshot = read_ask(ls, params, COMPARE)
        if snapshot is None:
            return None
        random.SystemRandom().shuffle(contestants)  # nobody always finds a warm cache
        answers = []
        try:
            for contestant in contestants:  # in turn: a newer request would overtake an older one
                answers.append(await _answer(ls, snapshot, contestant))
        except Refusal:  # superseded
            return None
        if not await ls.votes.in_order(*(answer.side.contestant for answer in answers)):
            answers.reverse()
        first, second = answers
        pair = _pair(ls, snapshot, first.side, second.side)
        self._open[pair.id] = _Comparison(pair, (first, second), snapshot.uri, Stopwatch())
        while len(self._open) > _REMEMBERED:
            self._open.popitem(last=False)
        return {"id": pair.id, "items": [answer.item for answer in answers]}

    async def vote(self, ls: Server, params: Any) -> dict[str, Any]:
        """`{id, choice}` to the names. The vote goes to the store of the evaluation harness."""
        id, choice = field(params, "id", str, VOTE), field(params, "choice", str, VOTE)
        if choice not in CHOICES:
            raise JsonRpcInvalidParams(f"A choice is one of {', '.join(CHOICES)}.")
        if id not in self._open:
            raise JsonRpcInvalidParams("There is no comparison of this id to vote on.")
        open = self._open.pop(id)
        chosen, document = open.chosen(choice), ls.documents.get(open.uri)
        if chosen is not None and document is not None:
            ls.retention.expect(id, open.uri, document.text, chosen.start, chosen.text)
        code = ls.settings.log.code
        await ls.votes.record(open.pair, choice, open.since.total(), code)
        first, second = (answer.contestant.as_json() for answer in open.answers)
        if ls.settings.log.outcomes:
            ls.outcomes.append(
                {"event": "vote", "choice": choice, "first": first, "second": second}
            )
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


async def _answer(server: Server, snapshot: Snapshot, contestant: Contestant) -> _Answer:
    """What a contestant says; raises Refusal only where a newer request took this one's place."""
    watch = Stopwatch()
    suggestion, item, failed = None, None, False
    try:
        work = server.backend.completer.complete(
            snapshot, model=contestant.model, policy=contestant.policy
        )
        suggestion = (await server.overtaking.run(snapshot.uri, work))[0]
        item = inline_item(server, snapshot, suggestion)
    except Refusal as refusal:
        if refusal.reason is Reason.SUPERSEDED:
            raise
        failed = refusal.reason in _FAILED
    text = suggestion.text if suggestion is not None else ""
    settings = _settings(server, contestant, suggestion)
    name = f"engine:{settings['model'] or 'default'}:{settings['policy'] or 'default'}"
    return _Answer(contestant, Side(name, text, watch.total(), settings, failed), suggestion, item)


def _settings(
    server: Server, contestant: Contestant, suggestion: Suggestion | None
) -> dict[str, str]:
    """The model and policy that answered, as far as that is known."""
    infill = suggestion.infill if suggestion is not None else None
    if infill is not None:
        return {"model": infill.model, "policy": infill.policy}
    model = server.settings.model
    return {"model": contestant.model or model.name, "policy": contestant.policy or model.policy}


def _pair(server: Server, snapshot: Snapshot, first: Side, second: Side) -> Pair:
    gap, text = snapshot.gap, snapshot.text
    return Pair(
        first,
        second,
        session=server.votes.session,
        source="editor",
        language=snapshot.language,
        prefix=text[: gap.start],
        suffix=text[gap.end :],
    )
