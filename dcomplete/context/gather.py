"""What the model gets to see of a document and its workspace, or a refusal."""

from dataclasses import dataclass, replace

from dcomplete.context.preamble import fit, outline
from dcomplete.context.shape import Place, check_allowed, decide
from dcomplete.context.source import SOURCES, ask
from dcomplete.context.syntax import errors_after
from dcomplete.context.trees import Edit
from dcomplete.context.window import (
    PREAMBLE_SHARE,
    SUFFIX_SHARE,
    Count,
    anchored,
    characters,
    estimate,
    prefix_start,
    suffix_end,
)
from dcomplete.context.workspace import NEAR_LINES, Kept, OpenDocument, Workspace
from dcomplete.document import BOM, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.settings import ContextSettings, Settings
from dcomplete.types import Shape, Snippet

_RETRIES = 3  # times that other text is chosen anew because a source ran out of time
AHEAD = {Reason.STATEMENT_ENDED, Reason.BLANK}  # what is said where the next key may change it
_OUTLINE_SHARE = 0.6  # of the preamble, where there are snippets too


@dataclass(frozen=True, slots=True)
class Context:
    """The text around a gap. Line ends are ``\\n``, and there is no byte order mark.

    `preamble` is other text, formatted for the model: comments with the path and text of each
    snippet, then an outline of what the prefix does not show of its own file. `alone` is the prefix for
    models that do without it, as long as both together. `why` says in a few words why the gap has this
    shape; `indent` is the indentation of the gap's line.
    """

    alone: str
    prefix: str
    suffix: str
    preamble: str
    shape: Shape
    why: str
    indent: str
    snippets: tuple[Snippet, ...] = ()


def gather(
    snapshot: Snapshot, workspace: Workspace, settings: Settings, count: Count = estimate
) -> Context:
    """The context of the snapshot's gap, within `settings.context.tokens` tokens by `count`.

    Works for documents that the workspace has never seen. Raises Refusal where nothing should be
    suggested.
    """
    if settings.context != workspace.settings:
        workspace.set_settings(settings.context)
    check_allowed(snapshot, settings, workspace.privacy.hidden(snapshot.uri))
    document = workspace.document(snapshot.uri, snapshot.text, snapshot.language)
    place = Place(snapshot, document.language, document.tree)
    shape, why = decide(place, settings.trigger)
    text, gap = snapshot.text, snapshot.gap
    budget = _Budget(settings.context.tokens, count)
    end = suffix_end(text, anchored(text, gap.end), budget.after, count)
    kept = _choose(place, end, document, workspace, settings.context, budget)
    document.kept = kept
    return Context(
        alone=_clean(text[kept.alone : gap.start], first=kept.alone == 0),
        prefix=_clean(text[kept.start : gap.start], first=kept.start == 0),
        suffix=_clean(text[gap.end : end], first=False),
        preamble=kept.preamble,
        shape=shape,
        why=why,
        indent=place.indent,
        snippets=kept.snippets,
    )


def gather_ahead(snapshot: Snapshot, workspace: Workspace, settings: Settings) -> Context:
    """The context of a place where somebody may type next, also where nothing is suggested before that.

    Raises Refusal where nothing will be.
    """
    try:
        return gather(snapshot, workspace, settings)
    except Refusal as refusal:
        if refusal.reason not in AHEAD:
            raise
    return gather(replace(snapshot, automatic=False), workspace, settings)


def errors_with(
    snapshot: Snapshot, workspace: Workspace, start: int, end: int, text: str
) -> int | None:
    """Syntax errors near the gap once `text` replaces the code points `start` to `end`.

    Counts error and missing nodes; None without a grammar. For comparing candidates.
    """
    parsed = workspace.document(snapshot.uri, snapshot.text, snapshot.language).tree()
    return None if parsed is None else errors_after(parsed, Edit(start, end, text))


def _clean(text: str, first: bool) -> str:
    text = text.replace("\r\n", "\n")
    return text.removeprefix(BOM) if first else text


def _choose(
    place: Place,
    end: int,
    document: OpenDocument,
    workspace: Workspace,
    settings: ContextSettings,
    budget: "_Budget",
) -> Kept:
    """The other text and the prefix's start: those of the last request where they still hold."""
    kept = document.kept if document.kept and _near(document.kept, place) else None
    if kept is None or kept.retries:
        left = _RETRIES if kept is None else kept.retries - 1
        found, complete = _snippets(place, workspace, settings)
        retries = 0 if complete else left
    elif budget.holds(kept, place):
        return kept
    else:
        found, retries = kept.found, 0
    start, preamble, shown = _lay_out(place, end, found, budget)
    alone = start
    if preamble and start:
        text, gap = place.snapshot.text, place.snapshot.gap.start
        alone = min(start, prefix_start(text, gap, budget.both, budget.count, place.parsed))
    return Kept(place.snapshot.gap.start, start, alone, preamble, shown, found, retries)


def _near(kept: Kept, place: Place) -> bool:
    first, last = sorted((kept.place, place.snapshot.gap.start))
    return place.snapshot.text.count("\n", first, last) <= NEAR_LINES


def _snippets(
    place: Place, workspace: Workspace, settings: ContextSettings
) -> tuple[tuple[Snippet, ...], bool]:
    if not settings.snippets or not place.language.commented("x"):
        return (), True
    found, complete = ask(SOURCES, place.snapshot, workspace)
    return tuple(found), complete


def _lay_out(
    place: Place, end: int, found: tuple[Snippet, ...], budget: "_Budget"
) -> tuple[int, str, tuple[Snippet, ...]]:
    """Where the prefix starts, the preamble, and the snippets in it.

    The outline depends on where the prefix starts, and the room for the prefix on the outline's
    size: the start is looked for twice, first with a full preamble, then with what it really takes.
    """
    text, gap, language = place.snapshot.text, place.snapshot.gap.start, place.language
    comments, shown = fit(found, language, budget.preamble, budget.count)
    start = prefix_start(text, gap, budget.before(comments), budget.count, place.parsed)
    if start == 0:
        return 0, comments, shown
    start = prefix_start(text, gap, budget.least, budget.count, place.parsed)
    share = _OUTLINE_SHARE if found else 1.0
    missing = outline(place, start, end, int(budget.preamble * share), budget.count)
    comments, shown = fit(found, language, budget.preamble - budget.count(missing), budget.count)
    wider = prefix_start(text, gap, budget.before(comments + missing), budget.count, place.parsed)
    if wider < start:
        less = outline(place, wider, end, budget.count(missing), budget.count)
        if budget.count(less) <= budget.count(missing):
            start, missing = wider, less
    if missing:
        path = place.snapshot.uri.rpartition("/")[2]
        shown = (*shown, Snippet(path, missing, "outline"))
    return start, comments + missing, shown


@dataclass(frozen=True, slots=True)
class _Budget:
    """Tokens for the text before the gap."""

    total: int
    count: Count

    @property
    def preamble(self) -> int:
        return int(self.total * PREAMBLE_SHARE)

    @property
    def after(self) -> int:
        """For the suffix."""
        return int(self.total * SUFFIX_SHARE)

    @property
    def both(self) -> int:
        """For the preamble and the prefix together."""
        return self.total - self.after

    @property
    def least(self) -> int:
        """For the prefix when the preamble is full."""
        return self.both - self.preamble

    def before(self, preamble: str) -> int:
        """For the prefix beside `preamble`, in steps, so that small changes there do not matter."""
        step = max(1, self.preamble // 4)
        return self.both - min(self.preamble, -(-self.count(preamble) // step) * step)

    def holds(self, kept: Kept, place: Place) -> bool:
        """Whether the kept starts still give prefixes that are neither too long nor too short."""
        return self._fits(kept.start, place, self.before(kept.preamble)) and (
            kept.alone == kept.start or self._fits(kept.alone, place, self.both)
        )

    def _fits(self, start: int, place: Place, room: int) -> bool:
        gap = place.snapshot.gap.start
        length = gap - start
        if length < 0 or (start and length < characters(room) // 2):
            return False
        return length <= characters(room) and self.count(place.snapshot.text[start:gap]) <= room
