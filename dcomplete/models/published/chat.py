"""A chat turn for block diffusion models tuned to chat, which see nothing to the right of a block.

The user's turn shows what follows the gap and asks for code that leads there; the answer begins with
the text before the gap, so that the model goes on where the gap is. With the suffix first, typing only
appends, and the blocks before it stay cached. None of their authors publishes infilling: this is ours.
"""

from dcomplete.models.foreign import Source
from dcomplete.models.regimes import Layout

_ASK = "Here is the end of a source file:\n```\n"
_THEN = "\n```\nWrite the code that comes directly before it. Answer with code only."


def chat_layout(source: Source) -> Layout | None:
    """For tokenizers with ChatML's turns (Qwen's); None for others."""
    start, end = source.first("<|im_start|>"), source.first("<|im_end|>")
    if start is None or end is None:
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(source.tokenizer_json)

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

    user, turn = (start, *ids("user\n" + _ASK)), (end, *ids("\n"), start)
    return Layout(user, (*ids(_THEN), *turn, *ids("assistant\n```\n")), suffix_first=True)


def chat_stops(source: Source) -> tuple[str, ...]:
    """Where an answer ends if the model closes the code block before it closes its turn."""
    return () if chat_layout(source) is None else ("\n```",)
