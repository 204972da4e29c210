"""The no-leak check: no document may share a run of 13 tokens with the evaluation data.

A token is a word, a web address or one punctuation character, so layout does not hide a copy. 13 is
the length that GPT-3's contamination study uses (Brown et al. 2020, appendix C). Runs with hardly a
word in them (`0, 0, 0`, `)))`) are in every program and do not count.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.train.shards import Example

LENGTH = 13  # tokens
_MIN_WORDS = 4  # different words with a letter that a run must hold
_TOKEN = re.compile(r"https?://[\w./%~#?&=+:@-]+|\w+|[^\w\s]")
_FIELDS = (
    ("prompt", "canonical_solution", "suffix"),  # HumanEval, SantaCoder, Real-FIM-Eval
    ("prompt", "groundtruth", "right_context"),  # CrossCodeEval
    ("ground_truth",),  # SAFIM, whose prompt has a mark where it belongs
    ("cropped_code", "next_line"),  # RepoBench
    ("code",),  # MBPP
    ("endContent",),  # recorded typing
)


def words(text: str) -> list[str]:
    """Words, punctuation characters, and web addresses whole, since sites share their starts."""
    return _TOKEN.findall(text)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The runs of the evaluation data, and all words in them."""

    runs: frozenset[str]
    vocabulary: frozenset[str]
    texts: int
    silent: tuple[str, ...] = ()  # names of files that gave no text: what is in them is not checked

    @staticmethod
    def of(texts: Iterable[str], silent: Iterable[str] = ()) -> "Forbidden":
        """From the texts of problems and solutions; equal ones count once."""
        unique = sorted(set(texts))
        runs: set[str] = set()
        for text in unique:
            found = words(text)
            for at in range(len(found) - LENGTH + 1):
                if _telling(run := found[at : at + LENGTH]):
                    runs.add(" ".join(run))
        vocabulary = frozenset(word for run in runs for word in run.split(" "))
        return Forbidden(frozenset(runs), vocabulary, len(unique), tuple(silent))

    def first_in(self, text: str) -> str | None:
        """The first forbidden run in `text`, or None."""
        found, known = words(text), 0
        for at, word in enumerate(found):
            known = known + 1 if word in self.vocabulary else 0
            if known >= LENGTH:
                run = " ".join(found[at - LENGTH + 1 : at + 1])
                if run in self.runs:
                    return run
        return None


def leaks(forbidden: Forbidden, texts: Iterable[str]) -> list[tuple[int, str]]:
    """(position, run) of every text that shares a run with the evaluation data."""
    found = ((at, forbidden.first_in(text)) for at, text in enumerate(texts))
    return [(at, run) for at, run in found if run is not None]


def read_evaluation(places: Sequence[Path]) -> Forbidden:
    """The evaluation data in files or folders of ``.jsonl`` and ``.json``, gzipped or not.

    Raises UserError where a place is missing or nothing in it is understood.
    """
    texts: set[str] = set()
    silent: list[str] = []
    for place in places:
        if not place.exists():
            raise UserError(
                f"There is no evaluation data at {place}; name the folder that holds it."
            )
        files = sorted(filter(Path.is_file, place.rglob("*.json*"))) if place.is_dir() else [place]
        if place.is_dir():
            silent += (file.name for file in sorted(place.rglob("*.parquet")))
        for file in files:
            found = {text for record in _records(file) for text in _texts(record)}
            texts |= found
            if not found:
                silent.append(file.name)
    if not texts:
        raise UserError("The evaluation data hold no problem; name a HumanEval or MBPP file.")
    return Forbidden.of(texts, silent)


def _telling(run: Sequence[str]) -> bool:
    return len({word for word in run if word[0].isalpha()}) >= _MIN_WORDS


def _records(file: Path) -> Iterator[dict[str, Any]]:
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
        try:
            whole = json.loads(text)
        except json.JSONDecodeError:
            whole = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(f"{file} cannot be read as evaluation data; give JSON lines.") from error
    yield from (r for r in (whole if isinstance(whole, list) else [whole]) if isinstance(r, dict))


def _texts(record: dict[str, Any]) -> Iterator[str]:
    """A record's program as one text, so that runs across its parts count too."""
    for fields in _FIELDS:
        parts = [record.get(name) for name in fields]
        if isinstance(parts[0], str):
            yield "".join(part for part in parts if isinstance(part, str))


def decoded(shards: Iterable[Example], tokens: Tokens) -> Iterator[str]:
    """The text of each finished example, to be checked with `leaks`."""
    for example in shards:
        parts = (example.other, example.prefix, example.middle, example.suffix)
        yield tokens.decode([int(i) for part in parts for i in part])
