"""A line is all that is wanted: the answer ends there, however it is computed."""

from dataclasses import replace

import pytest
import torch

from dcomplete.engine.constraints import Free
from dcomplete.types import Finish
from tests.engine.test_speculation import VERIFY, answered
from tests.engine.test_tokens import TOKENS


class ManyLines(Free):
    """Line breaks are likely."""

    def mask(self, canvas, logits, rows, columns):
        logits[:, TOKENS.encode("\n")] += 6.0
        return logits


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize("name", ["verify", "threshold=0.2"])
def test_a_line_is_what_the_whole_answer_has_of_it_and_costs_less(name, few):
    """`line` ends an answer behind its first line with text, and changes nothing before that."""
    cut = 0
    for seed in range(6):
        request = replace(VERIFY, seed=seed, policy=name, temperature=1.0)
        whole = answered(request, few, seed, ManyLines())
        line = answered(replace(request, line=True), few, seed, ManyLines())
        text = whole.best.texts[0]
        blank = len(text) - len(text.lstrip())
        head, broken, _ = text[blank:].partition("\n")
        assert line.best.texts[0].startswith(text[:blank] + head + broken)
        if not broken:
            assert line.best == whole.best
        elif line.best.texts[0] != text:
            assert line.best.texts[0][blank:].count("\n") == 1
            assert line.best.finish is Finish.DONE
            assert line.forwards <= whole.forwards
            cut += line.forwards < whole.forwards
    assert cut


class BreaksThere(Free):
    """The fourth cell of every canvas is a line break."""

    def mask(self, canvas, logits, rows, columns):
        there = (columns == 3)[:, None] & torch.zeros(logits.shape[1], dtype=torch.bool).index_fill(
            0, torch.tensor(TOKENS.encode("\n")), True
        )
        return logits.masked_fill(there, 99.0)


def test_where_text_must_follow_the_line_is_not_the_end():
    request = replace(VERIFY, between=("\n",))
    whole = answered(request, 4, 0, BreaksThere())
    assert "\n" in whole.best.texts[0].strip()  # where an answer could have ended
    assert answered(replace(request, line=True), 4, 0, BreaksThere()).answers == whole.answers
    alone = replace(VERIFY, line=True)  # and would have, but for that
    assert "\n" not in answered(alone, 4, 0, BreaksThere()).best.texts[0].strip()


@pytest.mark.parametrize("few", [0, 4])
def test_answers_that_compete_end_with_their_line_as_well(few):
    alone = answered(replace(VERIFY, line=True), few, 0, BreaksThere()).best
    request = replace(VERIFY, line=True, branches=6, samples=64)
    found = answered(request, few, 0, BreaksThere()).answers
    assert len(found) > 2 and alone.texts in [a.texts for a in found]
    ends = [a.texts[0] for a in found if "\n" in a.texts[0].lstrip()]
    assert len(ends) > 2
    assert all(text.lstrip().index("\n") == len(text.lstrip()) - 1 for text in ends)


def test_before_half_a_word_the_line_ends_only_where_no_answer_can_end_with_it():
    request = replace(VERIFY, suffix="urn x\n")
    whole = answered(request, 4, 0, BreaksThere()).best.texts[0]
    line = answered(replace(request, line=True), 4, 0, BreaksThere()).best.texts[0]
    assert "\n" in whole.strip()
    assert line == whole[: len(line)]
    assert line.count("\n") == 1 and line.endswith("\n")


class BreaksLast(Free):
    """The last cell of every canvas is a line break."""

    def mask(self, canvas, logits, rows, columns):
        logits[columns == canvas.width - 1, TOKENS.encode("\n")[0]] = 99.0
        return logits


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.parametrize("name", ["verify", "threshold=0.2"])
def test_no_answer_beside_the_first_is_longer_than_was_allowed(name, few):
    """Also where the line's end takes the last cell, which is there for the end of an answer."""
    request = replace(VERIFY, max_tokens=4, branches=8, samples=8, line=True, policy=name)
    for seed in range(4):
        answers = answered(request, few, seed, BreaksLast()).answers
        assert max(answer.tokens for answer in answers) <= 4
