"""Which gaps of a request share a canvas, and how those that do not are filled one after another."""

from dataclasses import replace

from dcomplete.engine.lengths import CANVAS
from dcomplete.engine.tokens import Tokens
from dcomplete.types import Answer, Finish, InfillRequest

MAX_PINNED = 256  # tokens between gaps that are denoised on one canvas
# Cells of a canvas's gaps, in all its rows: nobody else gets a turn, and nothing can be cancelled,
# while a step goes over them.
MOST_CELLS = 1024


def split(tokens: Tokens, request: InfillRequest) -> tuple[InfillRequest, InfillRequest | None]:
    """The leading gaps that share a canvas, and the request for the others."""
    cells = request.told or min(CANVAS, request.max_tokens)
    rows = 1 if request.branches else request.samples  # several gaps have no branches
    most = MOST_CELLS // (cells * rows)
    room = MAX_PINNED
    for index, text in enumerate(request.between):
        room -= len(tokens.encode(text[: 8 * MAX_PINNED]))
        if room < 0 or index + 1 >= most:
            after = "".join(request.between[index:]) + request.suffix
            head = replace(request, between=request.between[:index], suffix=after)
            return head, replace(request, between=request.between[index + 1 :])
    return request, None


def behind(rest: InfillRequest, request: InfillRequest, texts: tuple[str, ...]) -> InfillRequest:
    """`rest` of `request`, with what its leading gaps were filled with in its prefix."""
    woven = request.prefix
    for text, between in zip(texts, request.between, strict=False):  # the one before `rest` as well
        woven += text + between
    beside = request.beside
    if beside is not None:
        beside += len(woven) - len(request.prefix)
    return replace(rest, prefix=woven, beside=beside)


def joined(first: Answer, later: Answer) -> Answer:
    """One answer to the gaps of both."""
    tokens = first.tokens + later.tokens
    score = (first.score * first.tokens + later.score * later.tokens) / max(1, tokens)
    finish = later.finish if first.finish is Finish.DONE else first.finish
    return Answer(first.texts + later.texts, tokens, score, finish)


def too_late(answer: Answer, gaps: int) -> Answer:
    """With nothing in `gaps` more gaps, for which no time was left."""
    return replace(answer, texts=answer.texts + ("",) * gaps, finish=Finish.DEADLINE)
