"""The true middle of real code must survive the filters: the most important test of this room."""

import ast
import json
import random
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dcomplete.errors import Refusal
from dcomplete.postprocess import Surroundings, refine
from dcomplete.types import Shape

ROOT = Path(__file__).parents[2]
STANDARD_LIBRARY = Path(json.__file__).parent.parent
SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Hole:
    name: str
    kind: str
    language: str
    text: str
    start: int
    end: int
    shape: Shape

    @property
    def gold(self) -> str:
        return self.text[self.start : self.end]

    def surroundings(self, clip: bool) -> Surroundings:
        prefix, suffix = self.text[: self.start], self.text[self.end :]
        if clip:
            prefix = prefix[prefix.find("\n", max(0, len(prefix) - 2000)) + 1 :]
            suffix = suffix[: suffix.find("\n", 1000) + 1 or len(suffix)]
        line = prefix[prefix.rfind("\n") + 1 :]
        tabs = self.text.count("\n\t") > self.text.count("\n  ")
        indent = line[: len(line) - len(line.lstrip())]
        return Surroundings(
            prefix,
            suffix,
            self.shape,
            indent=indent,
            insert_spaces=not tabs,
            language=self.language,
        )


def survives(hole: Hole, clip: bool) -> bool:
    try:
        proposal = refine(hole.gold, hole.surroundings(clip))
    except Refusal:
        return False
    return proposal.after == 0 and proposal.text.rstrip() == hole.gold.rstrip()


def line_holes(name: str, language: str, text: str) -> Iterator[Hole]:
    """Whole lines, and ends of lines from a word border."""
    place = 0
    for line in text.split("\n"):
        first = place + len(line) - len(line.lstrip())
        end = place + len(line)
        if line.strip():
            yield Hole(name, "line", language, text, first, end, Shape.LINE)
            for border in re.finditer(r"(?<=[ (\[.,=])(?=\w)", line):
                if line[: border.start()].strip():
                    yield Hole(
                        name, "line end", language, text, place + border.start(), end, Shape.LINE
                    )
        place += len(line) + 1


def python_holes(name: str, text: str) -> Iterator[Hole]:
    """Expressions within a line, runs of statements, and bodies from behind their header."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.expr) and node.lineno == node.end_lineno:
            line = text[starts[node.lineno - 1] : starts[node.lineno] - 1]
            if line.isascii() and node.end_col_offset - node.col_offset > 1:
                start = starts[node.lineno - 1] + node.col_offset
                end = starts[node.lineno - 1] + node.end_col_offset
                yield Hole(name, "expression", "python", text, start, end, Shape.LINE)
        body = getattr(node, "body", None)
        if not isinstance(body, list) or isinstance(node, ast.Module):
            continue
        for count in (1, 2, 4, len(body)):
            first, last = body[0], body[min(count, len(body)) - 1]
            if last.end_lineno - first.lineno > 20 or getattr(first, "decorator_list", None):
                continue
            start, end = starts[first.lineno - 1] + first.col_offset, starts[last.end_lineno] - 1
            if text[starts[first.lineno - 1] : start].strip():
                continue
            yield Hole(name, "block", "python", text, start, end, Shape.BLOCK)
            header_end = starts[first.lineno - 1] - 1
            if text[:header_end].endswith(":"):
                yield Hole(name, "body", "python", text, header_end, end, Shape.BLOCK)


def brace_holes(name: str, language: str, text: str) -> Iterator[Hole]:
    """Bodies in braces, with and without their closing line."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for number, line in enumerate(lines[:-2]):
        indent = len(line) - len(line.lstrip())
        if not line.endswith("{") or line.strip().startswith("//"):
            continue
        for last in range(number + 1, min(number + 25, len(lines))):
            other = lines[last]
            if other.strip() and len(other) - len(other.lstrip()) <= indent:
                break
        else:
            continue
        if last == number + 1 or not lines[last].strip().startswith("}"):
            continue
        header_end, body = starts[number + 1] - 1, starts[number + 1]
        first = body + len(lines[number + 1]) - len(lines[number + 1].lstrip())
        yield Hole(name, "block", language, text, first, starts[last] - 1, Shape.BLOCK)
        yield Hole(name, "body", language, text, header_end, starts[last] - 1, Shape.BLOCK)
        if not lines[last].rstrip().endswith(("{", "(", "[")):
            end = starts[last + 1] - 1
            yield Hole(name, "closed body", language, text, header_end, end, Shape.BLOCK)
            yield Hole(name, "closed block", language, text, first, end, Shape.BLOCK)


def sample(holes: list[Hole], count: int, seed: int) -> list[Hole]:
    """Evenly many holes of each kind."""
    generator = random.Random(seed)
    kinds = sorted({hole.kind for hole in holes})
    chosen = []
    for kind in kinds:
        mine = [hole for hole in holes if hole.kind == kind]
        chosen += generator.sample(mine, min(len(mine), count // len(kinds)))
    return chosen


def survival(holes: list[Hole]) -> float:
    return statistics.mean(survives(hole, clip) for hole in holes for clip in (False, True))


@pytest.fixture(scope="module")
def python_files() -> dict[str, str]:
    """Ten modules of the standard library and the project's own."""
    library = sorted(path for path in STANDARD_LIBRARY.glob("*.py") if path.stat().st_size < 60_000)
    own = sorted((ROOT / "dcomplete").glob("*.py"))
    generator = random.Random(7)
    chosen = generator.sample(library, 10) + own
    return {path.name: path.read_text("utf-8") for path in chosen}


@pytest.fixture(scope="module")
def python_sample(python_files: dict[str, str]) -> list[Hole]:
    holes = [
        hole
        for name, text in python_files.items()
        for hole in (*line_holes(name, "python", text), *python_holes(name, text))
    ]
    return sample(holes, 400, seed=11)


def test_the_true_middle_of_python_code_survives(python_sample):
    assert len(python_sample) >= 300
    assert {hole.kind for hole in python_sample} == {
        "line",
        "line end",
        "expression",
        "block",
        "body",
    }
    assert survival(python_sample) >= 0.99


@pytest.mark.parametrize(
    ("name", "language"), [("queue.rs", "rust"), ("ring.go", "go"), ("panel.js", "javascript")]
)
def test_the_true_middle_of_code_in_braces_survives(name, language):
    text = (SAMPLES / name).read_text("utf-8")
    holes = [*line_holes(name, language, text), *brace_holes(name, language, text)]
    assert {hole.kind for hole in holes} >= {"line", "body", "closed body"}
    assert survival(sample(holes, 120, seed=5)) >= 0.99


def test_a_model_that_runs_on_into_the_suffix_is_brought_back_to_the_true_middle(python_sample):
    """The other side: the filters must still bite. Three lines of the suffix are one overrun."""
    tried = cut = 0
    for hole in python_sample:
        around = hole.surroundings(clip=True)
        below = [line for line in around.below.split("\n")[:6] if line.strip()][:3]
        if hole.kind not in ("line", "block", "body") or len(below) < 3:
            continue
        tried += 1
        around = replace(around, shape=Shape.BLOCK)
        try:
            found = refine(hole.gold + "\n" + "\n".join(below), around).text
        except Refusal:
            continue
        cut += found.rstrip() == hole.gold.rstrip()
    assert tried > 100
    assert cut / tried >= 0.97


@pytest.mark.parametrize(
    ("name", "language"), [("queue.rs", "rust"), ("ring.go", "go"), ("panel.js", "javascript")]
)
def test_a_closing_line_too_many_is_brought_back_to_the_true_middle(name, language):
    text = (SAMPLES / name).read_text("utf-8")
    holes = [hole for hole in brace_holes(name, language, text) if hole.kind in ("block", "body")]
    cut = 0
    for hole in holes:
        around = hole.surroundings(clip=False)
        closer = around.below.partition("\n")[0]
        cut += refine(f"{hole.gold}\n{closer}", around).text == hole.gold
    assert len(holes) > 10
    assert cut / len(holes) >= 0.95
