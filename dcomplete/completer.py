"""From a snapshot of a document to suggestions: the whole street, flat.

`complete` gathers context (text), asks the engine (tokens), refines the answer (text). Between a
request and a matrix multiplication lie: `Completer.complete`, `AsyncEngine.infill`, `Filler.fill`,
`denoise`, `Session.states`, the network.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dcomplete.context import AHEAD, Context, Workspace, errors_with, gather, gather_ahead
from dcomplete.dismissals import Dismissals, Recent
from dcomplete.document import Snapshot
from dcomplete.errors import DcompleteError, Reason, Refusal
from dcomplete.flight import Ahead, Flight, drop
from dcomplete.foresight import likely_next
from dcomplete.popup import as_item, with_item
from dcomplete.postprocess import Proposal, rank, refine
from dcomplete.serve.orders import AsyncEngine, choice_of
from dcomplete.settings import Settings
from dcomplete.splitting import split
from dcomplete.suggestions import Suggestions, distinct
from dcomplete.translating import infill_request, suggestion, surroundings
from dcomplete.types import ENOUGH_BRANCHES, Finish, Infill, InfillRequest, Suggestion, Watcher

_VARIETY = (0.8, 1.2)  # temperatures where several suggestions are wanted and branches found one
_PAUSE_S = 20.0  # after which other text is chosen anew
_FINAL = {Reason.SUPERSEDED, Reason.DISABLED, Reason.PRIVATE, Reason.TOO_LARGE}


class Completer:
    """Suggestions for the documents of one workspace. To be used from one event loop."""

    def __init__(self, engine: AsyncEngine, workspace: Workspace, settings: Settings) -> None:
        self.engine, self.workspace, self._settings = engine, workspace, settings
        self.suggestions, self._dismissals = Suggestions(), Dismissals()
        # By document. A request may begin just after `forget`: these hold what runs, and no longer.
        self._flights: dict[str, Flight] = {}
        self._ahead: dict[str, Ahead] = {}
        self._asked: Recent[str, float] = Recent()  # when the engine was, lately
        self._salt = secrets.token_hex(8)  # two editors with one file do not overtake each other

    @property
    def settings(self) -> Settings:
        """With other ones the suggestions of before count no longer."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        if settings != self._settings:
            self._settings, self.suggestions = settings, Suggestions()
            self._stop(*self._ahead, *self._flights)

    async def complete(
        self,
        snapshot: Snapshot,
        count: int = 1,
        watch: Watcher | None = None,
        model: str = "",
        policy: str = "",
    ) -> list[Suggestion]:
        """Up to `count` suggestions, best first.

        Raises Refusal with the reason why there is none, UserError for settings that do not fit.
        Cancelling the task stops the engine, unless a newer request soon waits for the same answer.
        With a `model`, `policy` or `watch` of its own the request neither reads nor feeds the cache.
        """
        try:
            return await self._complete(snapshot, count, watch, model, policy)
        except Refusal as refusal:
            if refusal.reason in AHEAD:
                self.read_ahead(snapshot)
            raise

    async def _complete(
        self, snapshot: Snapshot, count: int, watch: Watcher | None, model: str, policy: str
    ) -> list[Suggestion]:
        popup, snapshot = with_item(snapshot)
        braces, snapshot = split(snapshot, self.settings.trigger)
        own = bool(model or policy or watch)
        if own:
            known = await self._compute(snapshot, count, watch, model=model, policy=policy)
        elif len(known := await self._known(snapshot)) < count:
            known = await self._more(snapshot, known, count)
            self.suggestions.put(snapshot, known)
        for one in known:
            self._dismissals.shown(snapshot, one)
        if snapshot.automatic and (snapshot, known[0]) in self._dismissals:
            raise Refusal("This suggestion was dismissed before.", Reason.FILTERED)
        if not own:
            self._look_ahead(snapshot, known[0])
        return [as_item(popup, braces.joined(s) if braces else s) for s in known]

    def accepted(self, id: str, characters: int | None = None) -> None:
        """The person took suggestion `id`, or its first `characters` code points."""
        self._dismissals.accepted(id)

    def dismissed(self, id: str) -> None:
        """The person did not want suggestion `id`: it does not come back by itself."""
        self._dismissals.dismissed(id)

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self.suggestions.forget(uri)
        self._asked.pop(uri, None)
        self._stop(uri)

    async def close(self) -> None:
        """Stop what is computed."""
        self._stop(*self._ahead, *self._flights)

    async def _known(self, snapshot: Snapshot) -> list[Suggestion]:
        """What earlier answers say about this place."""
        found = self.suggestions.find(snapshot)
        ahead = self._ahead.get(snapshot.uri)
        if not found and ahead is not None and ahead.goes_on_from(snapshot):
            await ahead.wait()
            found = self.suggestions.find(snapshot)
        flight = self._flights.get(snapshot.uri)
        if not found and flight is not None and flight.joins(snapshot):
            await flight.wait()
            found = self.suggestions.find(snapshot)
            asked = not snapshot.automatic and flight.snapshot.automatic
            if not found and flight.same(snapshot) and not asked:
                flight.result()  # the same question gets the same refusal
        return found

    async def _more(
        self, snapshot: Snapshot, known: list[Suggestion], count: int
    ) -> list[Suggestion]:
        """`known` ones and what the engine says; where it says nothing, what is on screen stays."""
        try:
            return distinct([*known, *await self._fresh(snapshot, count)])[:count]
        except Refusal as refusal:
            known = known or self.suggestions.find(replace(snapshot, automatic=True))
            if not known or refusal.reason in _FINAL:
                raise
            return known

    async def _fresh(self, snapshot: Snapshot, count: int) -> list[Suggestion]:
        """What the engine says now. The older computation for this document ends."""
        self._stop(snapshot.uri)
        flight = self._flights[snapshot.uri] = Flight(snapshot)
        landing = flight.start(self._land(flight, count))
        landing.add_done_callback(lambda _: drop(self._flights, snapshot.uri, flight))
        await flight.wait()
        return flight.result()

    async def _land(self, flight: Flight, count: int) -> list[Suggestion]:
        few, snapshot = self.settings.model.branches, flight.snapshot
        branches = few if snapshot.automatic and count == 1 else max(few, ENOUGH_BRANCHES)
        found = await self._compute(snapshot, count, flight.see, branches)
        self.suggestions.put(snapshot, found)
        return found

    async def _compute(
        self,
        snapshot: Snapshot,
        count: int,
        watch: Watcher | None,
        branches: int = 0,
        model: str = "",
        policy: str = "",
    ) -> list[Suggestion]:
        if snapshot.automatic and self.settings.trigger.debounce_ms:
            await asyncio.sleep(self.settings.trigger.debounce_ms / 1000)
        if time.monotonic() - self._asked.get(snapshot.uri, 0.0) > _PAUSE_S:
            self.workspace.refresh(snapshot.uri)
        begun = self._asked[snapshot.uri] = time.monotonic()
        context = gather(snapshot, self.workspace, self.settings)
        found: list[Suggestion] = []
        for temperature in ((0.0,) if branches or count == 1 else ()) + (
            _VARIETY if count > 1 else ()
        ):
            others = 0 if temperature else branches
            infill = await self.engine.infill(
                self._request(snapshot, context, count, others, policy, temperature),
                key=self._key(snapshot.uri),
                choice=choice_of(self.settings.model, model),
                watch=watch,
            )
            try:
                found = distinct([*found, *self._refined(snapshot, context, infill)])
            except Refusal:
                if not found:
                    raise
            if len(found) > 1 or time.monotonic() - begun > self.settings.model.patience_ms / 1000:
                return found
        return found

    def _request(
        self,
        snapshot: Snapshot,
        context: Context,
        count: int,
        branches: int,
        policy: str = "",
        temperature: float = 0.0,
    ) -> InfillRequest:
        plain = infill_request(snapshot, context, self.settings)
        return replace(
            plain,
            policy=policy or plain.policy,
            samples=count,
            branches=branches,
            temperature=temperature,
            draft=self.suggestions.draft(snapshot) if count == 1 else None,
        )

    def _refined(self, snapshot: Snapshot, context: Context, infill: Infill) -> list[Suggestion]:
        """The answers that are worth showing, those that parse first."""
        around = surroundings(snapshot, context)
        proposals: list[tuple[Proposal, float]] = []
        unsure: list[bool] = []
        refusal = Refusal("The model says that nothing belongs here.", Reason.NOTHING)
        for answer in infill.answers:
            told = replace(around, unsure=answer.finish is Finish.UNSURE)
            try:
                proposals.append((refine(answer.texts[0], told), answer.score))
                unsure.append(told.unsure)
            except Refusal as why:
                refusal = why
        if not proposals:
            raise refusal
        start, end = snapshot.gap.start, snapshot.gap.end

        def errors(one: Proposal) -> int | None:
            return errors_with(snapshot, self.workspace, start, end + one.after, one.text)

        order = rank(proposals, errors) if proposals[1:] else [0]
        found = [suggestion(snapshot, context, *proposals[i], infill, unsure[i]) for i in order]
        return distinct(found)

    def read_ahead(self, snapshot: Snapshot) -> None:
        """Have the context of a place computed where the person may type next, until somebody asks.

        A typed character then computes a token or two instead of all that is around it.
        """
        trigger, flight = self.settings.trigger, self._flights.get(snapshot.uri)
        ahead = self._ahead.get(snapshot.uri)
        busy = (flight and not flight.over) or (ahead and ahead.goes_on_from(snapshot))
        if trigger.precompute and trigger.automatic and not busy:
            self._go_ahead(snapshot.uri, lambda _: self._read(snapshot))

    def _look_ahead(self, snapshot: Snapshot, shown: Suggestion) -> None:
        """Have what comes after `shown` is accepted computed while it is on screen."""
        ahead = self._ahead.get(snapshot.uri)
        if self.settings.trigger.precompute and not (ahead and ahead.running):
            self._go_ahead(snapshot.uri, lambda ahead: self._compute_ahead(ahead, snapshot, shown))

    def _go_ahead(self, uri: str, work: Callable[[Ahead], Coroutine[Any, Any, None]]) -> None:
        """Begin `work` for a document in place of what was ahead of it."""
        if (before := self._ahead.get(uri)) is not None:
            before.stop()
        ahead = self._ahead[uri] = Ahead()
        ahead.start(work(ahead)).add_done_callback(lambda _: drop(self._ahead, uri, ahead))

    async def _read(self, snapshot: Snapshot) -> None:
        with suppress(DcompleteError):
            context = gather_ahead(snapshot, self.workspace, self.settings)
            await self.engine.infill(
                replace(infill_request(snapshot, context, self.settings), max_tokens=0),
                key=self._key(snapshot.uri),
                choice=choice_of(self.settings.model),
                background=True,
            )

    async def _compute_ahead(self, ahead: Ahead, snapshot: Snapshot, shown: Suggestion) -> None:
        await asyncio.sleep(0)  # the suggestion itself goes out first
        for after in likely_next(snapshot, shown):
            with suppress(DcompleteError):
                context = gather(after, self.workspace, self.settings)
                ahead.snapshot = after
                if not self.suggestions.knows(after):
                    infill = await self.engine.infill(
                        self._request(after, context, 1, self.settings.model.branches),
                        key=f"{self._key(snapshot.uri)}+",
                        choice=choice_of(self.settings.model),
                        background=True,
                    )
                    self.suggestions.put(after, self._refined(after, context, infill), ahead=True)
                return

    def _stop(self, *uris: str) -> None:
        """Give up what is computed for documents."""
        for uri in uris:
            for running in (self._flights.pop(uri, None), self._ahead.pop(uri, None)):
                if running is not None:
                    running.stop()

    def _key(self, uri: str) -> str:
        """Names a document to the engine without saying which it is."""
        return hashlib.blake2b(f"{self._salt}{uri}".encode(errors="replace")).hexdigest()[:24]
