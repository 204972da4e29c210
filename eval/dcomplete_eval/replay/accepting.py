"""When the simulated author accepts a suggestion, and how much of it. The truth is what they wrote.

The author takes what is right at once, never what is wrong, and reads no further than the rule says.
"""

import re
from collections.abc import Callable, Mapping

from dcomplete_eval.replay.survival import alike

Rule = Callable[[str, str], int]  # (suggestion, truth) -> characters that are taken


def whole(text: str, truth: str) -> int:
    """All of it, where the author wrote exactly that."""
    return len(text) if truth.startswith(text) else 0


def line(text: str, truth: str) -> int:
    """All of it, or else its first line."""
    return whole(text, truth) or whole(text.partition("\n")[0], truth)


def words(text: str, truth: str) -> int:
    """As many whole words as are right, as editors let one accept word by word."""
    same = alike(text, truth)
    while 0 < same < len(text) and re.fullmatch(r"\w\w", text[same - 1 : same + 1]):
        same -= 1
    return same


RULES: Mapping[str, Rule] = {"line": line, "whole": whole, "words": words}


def taken(rule: str, least: int, text: str, truth: str) -> int:
    """Characters that the author accepts; 0 where there are fewer than `least`."""
    count = RULES[rule](text, truth)
    return count if count >= least else 0
