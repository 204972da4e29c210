"""How near an answer is to the gold, and what share of samples passes. Nothing is run here."""

import ast
import math
import threading
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

from dcomplete.context.languages import language_of
from dcomplete.context.trees import parse
from dcomplete_eval.types import Task, Verdict

_LONGEST = 1_000_000  # characters
_LEXERS = {"javascriptreact": "javascript", "typescriptreact": "typescript", "shellscript": "bash"}
_warnings = threading.Lock()  # their filters are the process's


def score(task: Task, text: str) -> Verdict:
    """Everything about an answer that can be said without running it; `passed` is None."""
    whole = parses(task.prefix + text + task.suffix, task.language)
    if whole is False and parses(task.prefix + task.gold + task.suffix, task.language) is False:
        whole = None  # the original does not parse either: a dialect, or only a part of a file
    return Verdict(
        passed=None,
        exact=exact(text, task.gold),
        similarity=similarity(text, task.gold),
        parses=whole,
        identifiers=same_identifiers(text, task.gold, task.language),
        begins=begins(text, task.gold + task.suffix),
    )


def begins(text: str, truth: str) -> bool | None:
    """Whether `truth` begins with `text`, white space at its end aside; None where there is no text."""
    text = _unix(text).rstrip()
    return _unix(truth).startswith(text) if text else None


def exact(text: str, gold: str) -> bool:
    """Equal but for white space at the end and the kind of line end."""
    return _unix(text).rstrip() == _unix(gold).rstrip()


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def similarity(text: str, gold: str) -> float:
    """Normalised indel similarity, 0 to 1: 2 * LCS / (sum of lengths); 1.0 for two empty texts.

    Equals `fuzz.ratio / 100`, which most published tables call edit similarity.
    """
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(text, gold))


def parses(text: str, language: str) -> bool | None:
    """Whether `text` is sound code; None where the language has no grammar here.

    Python is parsed by Python itself, since tree-sitter forgives wrong indentation.
    """
    known = language_of(language)
    if known.name == "python":
        return _is_python(text)
    parsed = parse(text, known)
    return None if parsed is None else not parsed.root.has_error


def _is_python(text: str) -> bool | None:
    if len(text) > _LONGEST:
        return None
    with _warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in strings
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True


def same_identifiers(text: str, gold: str, language: str) -> bool | None:
    """Whether both name the same things in the same order; None where there is no lexer.

    CrossCodeEval's identifier match (Ding et al. 2023, arXiv:2310.11248): words outside strings and
    comments that are no keywords, here by Pygments' lexers.
    """
    if _lexer(language) is None:
        return None
    return identifiers(text, language) == identifiers(gold, language)


def identifiers(text: str, language: str) -> list[str]:
    """The identifiers in order; none where there is no lexer."""
    from pygments.token import Token

    lexer = _lexer(language)
    if lexer is None:
        return []
    tokens = lexer().get_tokens(text)
    return [word.lstrip("@") for kind, word in tokens if kind in Token.Name]


@cache
def _lexer(language: str) -> Any | None:
    """Pygments' lexer class."""
    from pygments.lexers import find_lexer_class_by_name
    from pygments.util import ClassNotFound

    name = language_of(language).name
    try:
        return find_lexer_class_by_name(_LEXERS.get(name, name))
    except ClassNotFound:
        return None


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that one of `k` answers drawn from `samples`, of which `passed` are right, is right.

    1 - C(n-c, k) / C(n, k), unbiased, computed as a product (Chen et al. 2021, arXiv:2107.03374).
    Raises ValueError where fewer than `k` were sampled.
    """
    if not 0 <= passed <= samples or not 0 < k <= samples:
        raise ValueError(f"pass@{k} of {passed} in {samples} is not defined.")
    if samples - passed < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(samples - passed + 1, samples + 1))


def mean_pass_at_k(found: Iterable[tuple[int, int]], k: int) -> float:
    """The mean of `pass_at_k` over problems, each given as (samples, passed)."""
    shares = [pass_at_k(samples, passed, k) for samples, passed in found]
    return math.fsum(shares) / len(shares)
