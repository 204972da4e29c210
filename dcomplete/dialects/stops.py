"""Where an answer ends for its client: stop sequences, an indentation, the most tokens."""

from collections.abc import Sequence

from dcomplete.dialects.asked import Asked, Piece
from dcomplete.types import Answer, Finish


def finished(answer: Answer, asked: Asked) -> Piece:
    """The answer, cut where the client wants it to end."""
    whole = answer.texts[0]
    text = cut_outdented(whole, asked.indent)
    text, stop = cut_at(text, asked.stops)
    ran_out = answer.finish is Finish.LENGTH and text == whole
    return Piece(text, answer.tokens, stop, ran_out)


def cut_at(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """The text before the stop sequence that comes first (the longest of several), and which it is."""
    found = [(text.find(stop), -len(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, ""
    place, _, stop = min(found)
    return text[:place], stop


def cut_outdented(text: str, indent: int) -> str:
    """The text before the first line, but its own first, that is indented by less than `indent`.

    llama.cpp's `n_indent`: what is further left belongs to the code around the gap.
    """
    if indent <= 0:
        return text
    first, *lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and len(line) - len(line.lstrip(" \t")) < indent:
            return "\n".join((first, *lines[:number]))
    return text
