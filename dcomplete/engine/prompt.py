"""A request's text to what the model is given: clipped, healed, cut to tokens."""

from dataclasses import dataclass

from dcomplete.engine.tokens import Seam, Tokens
from dcomplete.models.regimes import Prompt
from dcomplete.types import InfillRequest

_CHARS_PER_TOKEN = 4
_SUFFIX_SHARE = 0.25
_PREAMBLE_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Task:
    """One canvas's worth of work: ids around it, pinned ids inside it, healed borders."""

    prompt: Prompt
    seam: Seam
    pinned: tuple[list[int], ...]

    @property
    def context_tokens(self) -> int:
        return len(self.prompt.prefix) + len(self.prompt.suffix)


def make_task(tokens: Tokens, request: InfillRequest, heal_tail: bool = True) -> Task:
    """Cut `request` to tokens within its context budget."""
    after = int(request.context_tokens * _SUFFIX_SHARE)
    other = _preamble(tokens, request)
    before = request.context_tokens - after - len(other)
    prefix = clip_start(shown_prefix(request), before * _CHARS_PER_TOKEN)
    suffix = clip_end(request.suffix, after * _CHARS_PER_TOKEN)
    seam = tokens.seam(prefix, suffix, heal=request.heal, tail=heal_tail)
    drop = dropped(len(seam.prefix), before, before // 4)
    prompt = Prompt(other + seam.prefix[drop:], seam.suffix[:after])
    return Task(prompt, seam, tuple(tokens.encode(text) for text in request.between))


def shown_prefix(request: InfillRequest) -> str:
    """The prefix, or what of it stands beside the request's preamble."""
    text, beside = request.prefix, request.beside
    if not request.preamble or beside is None:
        return text
    return text[max(0, len(text) - beside) :]


def gap_tokens(tokens: Tokens, request: InfillRequest, text: str) -> int:
    """How many tokens `text` is in the request's (first) gap, what the healed borders add included."""
    return len(tokens.encode(make_task(tokens, request).seam.middle(text)))


def _preamble(tokens: Tokens, request: InfillRequest) -> list[int]:
    """The request's preamble, on lines of its own; what is too much is cut off its beginning."""
    if not request.preamble:
        return []
    most = int(request.context_tokens * _PREAMBLE_SHARE)
    text = clip_start(request.preamble, most * _CHARS_PER_TOKEN)
    return on_own_lines(tokens, text)[-most:]


def on_own_lines(tokens: Tokens, text: str) -> list[int]:
    """Text from elsewhere as ids; the prefix begins on the line behind it."""
    return tokens.encode_again(text.rstrip("\n") + "\n")


def dropped(length: int, limit: int, stride: int) -> int:
    """How much of a beginning to leave out, so that at most `limit` of `length` stays.

    In strides, so that the cut stays put while somebody types and the cached context stays valid.
    """
    return -(-max(0, length - limit) // stride) * stride


def clip_start(text: str, limit: int) -> str:
    """The end of `text`, at most `limit` characters, from a line start where there is one.

    The cut moves in strides of a quarter of the limit, see `dropped`.
    """
    if len(text) <= limit:
        return text
    stride = max(1, limit // 4)
    start = dropped(len(text), limit, stride)
    line = text.find("\n", start - 1, start + stride)
    return text[line + 1 if line >= 0 else start :]


def clip_end(text: str, limit: int) -> str:
    """The beginning of `text`, at most `limit` characters, up to a line end where there is one."""
    if len(text) <= limit:
        return text
    line = text.rfind("\n", limit // 2, limit)
    return text[: line + 1 if line >= 0 else limit]
