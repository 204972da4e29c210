"""What no request may ask for, told in one sentence before anything is computed."""

import math

from dcomplete.engine.lengths import CANVAS, candidate_sizes
from dcomplete.errors import UserError
from dcomplete.types import InfillRequest

_LONGEST = 512  # tokens of a told length
_MOST = 8192  # tokens of all answers' told lengths: gigabytes, and a step that cannot be cancelled


def check_request(request: InfillRequest) -> None:
    """Raise UserError for the first value out of range."""
    late = request.deadline_ms
    wrong = {
        "max_tokens must be from 0 to 4096": not 0 <= request.max_tokens <= 4096,
        "steps must be at least 1": request.steps < 1,
        "stale must be from 1 to 64": not 1 <= request.stale <= 64,
        "samples must be from 1 to 64": not 1 <= request.samples <= 64,
        "branches must be from 0 to 64": not 0 <= request.branches <= 64,
        "branch_ms must not be negative": request.branch_ms is not None
        and not request.branch_ms >= 0,
        "samples are drawn, branches are not: use temperature with samples alone": (
            request.branches > 0 and request.temperature > 0
        ),
        "temperature must be 0, or from 0.01 to 100": (
            request.temperature != 0 and not 0.01 <= request.temperature <= 100
        ),
        "top_p must be above 0 and at most 1": not 0 < request.top_p <= 1,
        "seed must fit 64 bits": not -(2**63) <= request.seed < 2**64,
        "deadline_ms must be a number and not negative": (
            late is not None and not (math.isfinite(late) and late >= 0)
        ),
        "context_tokens must be from 16 to 8192": not 16 <= request.context_tokens <= 8192,
        "beside must not be negative": request.beside is not None and request.beside < 0,
        "confidence must be from 0 to 1": not 0 <= request.confidence <= 1,
        "confidence cuts the answer of a single gap only": (
            request.confidence > 0 and bool(request.between)
        ),
        "a draft fits a single gap only": request.draft is not None and bool(request.between),
        "a draft has a length of its own: leave length at auto": (
            request.draft is not None and request.length != "auto"
        ),
        "candidate lengths are tried in a single gap only": (
            request.length == "candidates" and bool(request.between)
        ),
        "the text holds half a surrogate pair, which is no character": not _is_text(request),
    }
    for sentence, is_wrong in wrong.items():
        if is_wrong:
            raise UserError(sentence[0].upper() + sentence[1:] + ".")
    _check_length(request)


def _check_length(request: InfillRequest) -> None:
    if request.length not in ("auto", "candidates") and not _is_length(request.length):
        raise UserError(
            f"Length must be auto, candidates or a number from 1 to {_LONGEST}, not "
            f"{request.length[:20]!r}."
        )
    answers = max(request.samples, request.branches)
    if request.told is not None and request.told * answers > _MOST:
        raise UserError(
            f"{answers} answers of {request.told} tokens are too much at once: "
            f"{_MOST // request.told} can be of that length."
        )
    if request.length == "candidates":
        cells = len(candidate_sizes(CANVAS)) * min(CANVAS, request.max_tokens)
        if request.samples * cells > _MOST:
            raise UserError(
                f"{request.samples} answers of each candidate length are too much at once: "
                f"{_MOST // cells} can be drawn so."
            )


def _is_length(text: str) -> bool:
    return text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _LONGEST


def _is_text(request: InfillRequest) -> bool:
    parts = (request.prefix, request.suffix, request.preamble, request.draft or "")
    try:
        for part in (*parts, *request.between):
            part.encode()
    except UnicodeEncodeError:
        return False
    return True
