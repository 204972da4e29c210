"""A snapshot and its context, in the words of the engine and of the filters."""

import secrets

from dcomplete.context import Context, language_of
from dcomplete.document import Snapshot
from dcomplete.postprocess import Proposal, Surroundings, closing
from dcomplete.settings import Settings
from dcomplete.types import Infill, InfillRequest, Shape, Suggestion


def infill_request(snapshot: Snapshot, context: Context, settings: Settings) -> InfillRequest:
    """What the engine is asked for one suggestion. Closers that an editor inserts are not shown to it."""
    model, short = settings.model, context.shape is Shape.LINE
    span = context.shape is Shape.SPAN
    hidden = 0 if span else closing(surroundings(snapshot, context))
    return InfillRequest(
        prefix=context.alone,
        suffix=context.suffix[hidden:],
        preamble=context.preamble,
        beside=len(context.prefix),
        max_tokens=model.line_tokens if short else model.block_tokens,
        steps=model.steps,
        policy=model.policy,
        deadline_ms=model.deadline_ms if snapshot.automatic else None,
        line=short,
        confidence=model.confidence if snapshot.automatic else 0.0,
        branch_ms=None if snapshot.automatic else model.patience_ms,
        context_tokens=settings.context.tokens,
    )


def surroundings(snapshot: Snapshot, context: Context) -> Surroundings:
    """What filters know of the gap."""
    return Surroundings(
        prefix=context.prefix,
        suffix=context.suffix,
        shape=context.shape,
        indent=context.indent,
        tab_size=snapshot.tab_size,
        insert_spaces=snapshot.insert_spaces,
        language=language_of(snapshot.language, snapshot.uri).name,
        replaced=snapshot.text[snapshot.gap.start : snapshot.gap.end].replace("\r\n", "\n"),
        automatic=snapshot.automatic,
    )


def suggestion(
    snapshot: Snapshot,
    context: Context,
    proposal: Proposal,
    score: float,
    infill: Infill,
    unsure: bool,
) -> Suggestion:
    """What the editor is shown of a proposal."""
    return Suggestion(
        id=secrets.token_hex(8),
        text=snapshot.document.localize(proposal.text),
        start=snapshot.gap.start,
        end=snapshot.gap.end + proposal.after,
        shape=context.shape,
        score=score,
        source="model",
        infill=infill,
        unsure=unsure,
    )
