"""``/v1/fim/completions`` of Mistral and Inception, in all three shapes that its readers expect.

Mistral answers like a chat (``message``, ``delta``), Inception like a completion (``text``).
"""

from collections.abc import Sequence

from dcomplete.dialects.asked import Asked, Dialect, Flow, Given, Piece
from dcomplete.dialects.fields import Fields
from dcomplete.dialects.openai import asked_of, usage


class Fim:
    """Mistral's fill-in-the-middle."""

    flow = Flow.EVENTS_DONE

    def speaks(self, body: Fields) -> bool:
        return True

    def read(self, body: Fields) -> Asked:
        return asked_of(body, body.text("suffix"))

    def whole(self, given: Given) -> object:
        choices = [_choice(index, piece) for index, piece in enumerate(given.pieces)]
        return {**_head(given, ""), "choices": choices, "usage": usage(given)}

    def parts(self, given: Given) -> Sequence[object]:
        choices = [_choice(index, piece) for index, piece in enumerate(given.pieces)]
        chunks = [{**_head(given, ".chunk"), "choices": [choice]} for choice in choices]
        return [*chunks[:-1], {**chunks[-1], "usage": usage(given)}]

    def error(self, status: int, sentence: str) -> object:
        kind = "invalid_request_error" if status < 500 else "server_error"
        return {
            "object": "error",
            "message": sentence,
            "type": kind,
            "param": None,
            "code": str(status),
        }


def _head(given: Given, kind: str) -> dict[str, object]:
    return {
        "id": f"cmpl-{given.id}",
        "object": f"chat.completion{kind}",
        "created": int(given.moment),
        "model": given.model,
    }


def _choice(index: int, piece: Piece) -> dict[str, object]:
    said = {"role": "assistant", "content": piece.text}
    return {
        "index": index,
        "text": piece.text,
        "message": said,
        "delta": said,
        "finish_reason": piece.reason,
    }


FIM: Dialect = Fim()
