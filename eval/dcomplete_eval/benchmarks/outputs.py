"""Whether a program printed what was expected, by the rule of ExecEval (github.com/ntunlp/ExecEval)."""

from decimal import Context, Decimal

_PRECISION = Decimal("1e-12")
_DIGITS = Context(prec=39)  # as 129 bits have
_WORDS = {"yes", "no", "true", "false"}  # in any case


def same_output(said: str, expected: str) -> bool:
    """Equal line by line without white space at their ends, or word by word, numbers to 1e-12."""
    said, expected = (text.replace("\r\n", "\n").strip() for text in (said, expected))
    if [line.strip() for line in said.split("\n")] == [
        line.strip() for line in expected.split("\n")
    ]:
        return True
    ours, theirs = said.split(), expected.split()
    return len(ours) == len(theirs) and all(map(_same_word, ours, theirs))


def _same_word(one: str, other: str) -> bool:
    try:
        apart = _DIGITS.subtract(_DIGITS.create_decimal(one), _DIGITS.create_decimal(other))
        return abs(apart) <= _PRECISION
    except ArithmeticError:  # not two numbers, or not finite ones
        one, other = (w.lower() if w.lower() in _WORDS else w for w in (one, other))
        return one == other
