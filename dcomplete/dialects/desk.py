"""From what a client asks to what it is given: the one place of this room that asks the engine."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dcomplete.dialects.asked import MOST_ANSWERS, Asked, File, Given, Piece
from dcomplete.dialects.line_ends import as_models_know_it, localized
from dcomplete.dialects.sharing import Sharing
from dcomplete.dialects.stops import finished
from dcomplete.errors import UserError
from dcomplete.serve.orders import ANY, AsyncEngine, Choice
from dcomplete.settings import ContextSettings
from dcomplete.types import ENOUGH_BRANCHES, Infill, InfillRequest

Models = Callable[[], Mapping[str, str]]  # what clients may call a model, to its name or folder
CONTEXT = ContextSettings().tokens
_VARIETY = 0.8  # the temperature where branches found one answer only, as in editors
_MOST_TEMPERATURE = 100.0
_SEEDS = 2**63


@dataclass(slots=True)
class Desk:
    """`models` tells what is installed, the one that answers by default first."""

    engine: AsyncEngine
    models: Models
    branches: int = 0
    confidence: float = 0.0  # of an answer that comes alone
    _sharing: Sharing[Infill] = field(default_factory=Sharing)

    @property
    def names(self) -> list[str]:
        """What clients may call a model."""
        return list(self.models())

    async def answer(self, asked: Asked) -> Given:
        """Raises what the engine does. Where no token is wanted, the context is computed for what comes
        next; where there is no text either, the engine is not asked."""
        if not 1 <= asked.count <= MOST_ANSWERS:
            raise UserError(f"The number of answers must be from 1 to {MOST_ANSWERS}.")
        id, now = secrets.token_hex(12), time.time()
        choice, theirs = self._choice(asked.model), asked
        asked = as_models_know_it(asked)
        if asked.empty:
            if asked.gap.prefix or asked.gap.suffix:
                await self.engine.infill(request_of(asked), choice=choice, background=True)
            piece = Piece("", cut=asked.tokens == 0)
            return Given(theirs, (piece,) * asked.count, self.names[0], id, now)
        infill = await self._fill(request_of(asked, self.branches, self.confidence), choice)
        pieces = _pieces(infill, asked)
        if len(pieces) < asked.count and not asked.drawn:  # one answer was all that branches found
            more = replace(asked, temperature=_VARIETY, seed=0)
            pieces = _each_once(
                [*pieces, *_pieces(await self._fill(request_of(more), choice), asked)]
            )
        pieces = (pieces * asked.count)[: asked.count]  # again, where there are no more
        context, timings = infill.context_tokens, infill.timings
        local = tuple(localized(piece, theirs) for piece in pieces)
        return Given(theirs, local, infill.model, id, now, context, timings)

    async def _fill(self, request: InfillRequest, choice: Choice) -> Infill:
        return await self._sharing.get(
            (request, choice), lambda: self.engine.infill(request, choice=choice)
        )

    def _choice(self, name: str) -> Choice:
        """An installed model by its name; what is none of ours is the default under another name.

        Clients insist on names that they know, because these tell them how to mark a prompt.
        """
        models = self.models()
        name = name if name in models else name.removesuffix(":latest")  # Ollama's clients add it
        return Choice(models[name]) if name in models else ANY


def _pieces(infill: Infill, asked: Asked) -> list[Piece]:
    return _each_once([finished(answer, asked) for answer in infill.answers])


def _each_once(pieces: Sequence[Piece]) -> list[Piece]:
    """Without what differs from an earlier piece in the space around it only; empty ones last."""
    kept: dict[str, Piece] = {}
    for piece in pieces:
        kept.setdefault(piece.text.strip(), piece)
    return sorted(kept.values(), key=lambda piece: not piece.text.strip())


def request_of(asked: Asked, branches: int = 0, confidence: float = 0.0) -> InfillRequest:
    """As the engine wants it. Several answers at temperature 0 are branches, so that they differ."""
    drawn, count = asked.drawn, asked.count
    if count > 1 and not drawn:  # more than wanted: stop sequences make some alike
        count = branches = max(branches, ENOUGH_BRANCHES, count)
    seed = asked.seed
    if seed is None or not 0 <= seed < _SEEDS:
        seed = secrets.randbelow(_SEEDS)
    return InfillRequest(
        prefix=asked.gap.prefix,
        suffix=asked.gap.suffix,
        preamble="".join(shown(file) for file in asked.gap.files),
        max_tokens=asked.tokens,
        samples=count,
        branches=0 if drawn else branches,
        temperature=min(asked.temperature, _MOST_TEMPERATURE) if drawn else 0.0,
        top_p=min(asked.top_p, 1.0) if drawn else 1.0,
        seed=seed if drawn else 0,
        context_tokens=CONTEXT,
        line="\n" in asked.stops,
        confidence=0.0 if drawn or asked.count > 1 else confidence,
    )


def shown(file: File) -> str:
    """A file as the model gets to see it from editors: as comments, its path first."""
    from dcomplete.context.languages import language_of

    path = file.path.replace("\n", " ").replace("\r", " ")
    text = f"{path}\n{file.text}" if path else file.text
    return language_of("", path).commented(text) or text.rstrip("\n") + "\n"
