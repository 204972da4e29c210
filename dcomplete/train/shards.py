"""Examples on disk: safetensors files that are memory-mapped and read by position.

A shard holds `tokens`, all ids end to end (each example's suffix, prefix, middle and other text), and
`index` int64 [N, 6] per example: offset, the lengths of suffix, prefix, middle and other text, kind.
"""

import json
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from dcomplete.errors import UserError

Ids = npt.NDArray[Any]  # uint16 or int32
FORMAT = "dcomplete-examples-2"
_APART, _WHOLE = ".examples-new", ".examples-moving"  # while they are written, while they are moved
_SMALL_VOCABULARY = 65_535  # ids above do not fit uint16


@dataclass(frozen=True, slots=True)
class Example:
    """One gap as token ids; `kind` is a `dcomplete.train.cuts.Kind`.

    `other` is text from elsewhere that stands before the prefix, as an editor shows it.
    """

    suffix: Ids
    prefix: Ids
    middle: Ids
    kind: int
    other: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def parts(self) -> tuple[Ids, Ids, Ids, Ids]:
        """Its ids in the order of a shard."""
        return self.suffix, self.prefix, self.middle, self.other


def width(vocabulary: int) -> type[np.uint16] | type[np.int32]:
    """The smallest type that holds the ids of a vocabulary of this size."""
    return np.int32 if vocabulary > _SMALL_VOCABULARY else np.uint16


class Writer:
    """Collects examples and writes a shard whenever `per_shard` are there.

    Shards lie apart until all are written, so that a killed `prepare` leaves the old ones, or none.
    """

    def __init__(
        self, folder: Path, vocabulary: int, metadata: dict[str, str], per_shard: int = 16_384
    ) -> None:
        self._folder, self._type, self._metadata = folder, width(vocabulary), metadata
        self._per_shard = per_shard
        self._rows: list[Example] = []
        self.files: list[Path] = []
        self.examples = self.tokens = 0
        self._apart = folder / _APART
        for left in (self._apart, folder / _WHOLE):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        self._apart.mkdir(parents=True)

    def add(self, example: Example) -> None:
        self._rows.append(example)
        if len(self._rows) >= self._per_shard:
            self._write()

    def flush(self) -> None:
        """Write what is left, and put all shards in the place of older ones."""
        if self._rows:
            self._write()
        whole = self._apart.rename(self._folder / _WHOLE)
        for old in self._folder.glob("examples-*.safetensors"):
            _remove(old)
        for file in self.files:
            (whole / file.name).rename(file)
        whole.rmdir()

    def _write(self) -> None:
        index = np.zeros((len(self._rows), 6), np.int64)
        parts: list[Ids] = []
        at = 0
        for row, example in enumerate(self._rows):
            index[row] = (at, *map(len, example.parts), example.kind)
            parts += example.parts
            at += len(example)
        tokens = np.concatenate(parts).astype(self._type)
        counts = {"format": FORMAT, "examples": str(len(index)), "tokens": str(len(tokens))}
        name = f"examples-{len(self.files):05d}.safetensors"
        raw = save({"tokens": tokens, "index": index}, {**self._metadata, **counts})
        (self._apart / name).write_bytes(_sorted_header(raw))
        self.files.append(self._folder / name)
        self.examples += len(index)
        self.tokens += len(tokens)
        self._rows.clear()


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except PermissionError:  # Windows deletes no file that a process has in its memory
        raise UserError(
            f"{file} is in use or not yours to replace; end the training that reads it and run "
            "`dcomplete train prepare` again."
        ) from None


class Shards(Sequence[Example]):
    """All examples of a folder by position; files are mapped when first touched.

    Raises UserError where the folder holds no shards or they were cut with different tokenizers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if (folder / _WHOLE).exists():
            raise UserError(f"{folder} was left half written; run `dcomplete train prepare` again.")
        self._files = sorted(folder.glob("examples-*.safetensors"))
        if not self._files:
            raise UserError(f"{folder} holds no examples; run `dcomplete train prepare`.")
        heads = [_head(file) for file in self._files]
        self.metadata: dict[str, str] = heads[0]["__metadata__"]
        self.tokenizer = self.metadata["tokenizer"]
        if any(head["__metadata__"]["tokenizer"] != self.tokenizer for head in heads):
            raise UserError(f"{folder} mixes tokenizers; run prepare into an empty folder.")
        self._ends = np.cumsum([head["index"]["shape"][0] for head in heads]).tolist()
        self._open: dict[int, tuple[Ids, npt.NDArray[np.int64]]] = {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        at = at + len(self) if at < 0 else at
        if not 0 <= at < len(self):
            raise IndexError(at)
        shard = bisect_right(self._ends, at)
        tokens, index = self._mapped(shard)
        row = index[at - (self._ends[shard - 1] if shard else 0)]
        start, *lengths, kind = (int(n) for n in row)
        borders = list(accumulate(lengths, initial=start))
        suffix, prefix, middle, other = (tokens[a:b] for a, b in pairwise(borders))
        return Example(suffix, prefix, middle, kind, other)

    def lengths(self) -> npt.NDArray[np.int64]:
        """[N, 5]: lengths in tokens of suffix, prefix, middle and other text, and kind, of all examples."""
        return np.concatenate([self._mapped(i)[1][:, 1:] for i in range(len(self._files))])

    @property
    def surrounded(self) -> bool:
        """Whether text from elsewhere stands before some of the prefixes."""
        return bool(self.lengths()[:, 3].any())

    def all_tokens(self) -> Iterator[Ids]:
        """Every shard's token ids, end to end, memory-mapped."""
        for shard in range(len(self._files)):
            yield self._mapped(shard)[0]

    def order(self, seed: int, epoch: int) -> npt.NDArray[np.int64]:
        """The positions in the random order of an epoch: the same on every machine, at any time."""
        return np.random.default_rng([seed, epoch]).permutation(len(self))

    def _mapped(self, shard: int) -> tuple[Ids, npt.NDArray[np.int64]]:
        if shard not in self._open:
            file = self._files[shard]
            head = _head(file)
            self._open[shard] = (_map(file, head, "tokens"), _map(file, head, "index"))
        return self._open[shard]


def _head(file: Path) -> dict[str, Any]:
    """A safetensors file's header, with the number of bytes before the data as `bytes`."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        head: dict[str, Any] = json.loads(stream.read(size))
    if head.get("__metadata__", {}).get("format") != FORMAT:
        raise UserError(f"{file} holds no examples; run `dcomplete train prepare`.")
    return {**head, "bytes": 8 + size}


def _sorted_header(raw: bytes) -> bytes:
    """The same file with the header in order: safetensors writes metadata in a random one."""
    size = int.from_bytes(raw[:8], "little")
    head = json.dumps(json.loads(raw[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    return raw[:8] + head.encode().ljust(size) + raw[8 + size :]


def _map(file: Path, head: dict[str, Any], name: str) -> Ids:
    entry = head[name]
    kind = {"U16": np.uint16, "I32": np.int32, "I64": np.int64}[entry["dtype"]]
    at = head["bytes"] + entry["data_offsets"][0]
    return np.memmap(file, kind, "r", at, tuple(entry["shape"]))
