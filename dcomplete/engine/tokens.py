"""Text to token ids and back, with healing at both borders of the gap.

A model knows text only as its tokenizer cuts it. Where the gap begins or ends inside what would be one
token, the text is cut as no training text is. Healing takes the last token before the gap back into
the gap (the answer must start with its text), and the rest of a word that the gap would split off
behind it (the answer must end with it). Training cuts its gaps with the same `Tokens.seam`.

White space is cut by what follows it: between `\n\n` and a word lies a border that is none before more
white space. So behind indentation the cut is that before a letter, and behind empty lines either one,
as the answer goes on (`Seam.parted`).
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer

Ids = npt.NDArray[np.int64]
NONE: Ids = np.array([], dtype=np.int64)
_FIXED = 4  # tokens that a way to begin fixes, at most
_KNOWN = 32  # texts whose tokens are remembered
_TYPING = 200  # characters before the gap that are cut to tokens anew each time
_BEYOND = b"\xff" * 4  # greater than any text
_WORD = re.compile(r"\w{1,24}(?!\w)")


@dataclass(frozen=True, slots=True)
class Way:
    """How an answer may repeat a head: `fixed` tokens, then one that begins with `rest`."""

    fixed: tuple[int, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Seam:
    """A gap between tokens: `head` and `tail` are text that the answer repeats from its borders.

    `ways` are those of the head; the last is for answers that do not begin with white space.
    """

    prefix: list[int]
    suffix: list[int]
    head: str
    tail: str
    ways: tuple[Way, ...]

    def middle(self, text: str) -> str:
        """The gap's text as the model sees it."""
        return self.head + text + self.tail

    def parted(self, number: int = -1) -> "Seam":
        """The same gap with one of its ways alone, and what that fixes before the gap."""
        way = self.ways[number]
        prefix = [*self.prefix, *way.fixed]
        return Seam(prefix, self.suffix, way.rest, self.tail, (Way((), way.rest),))


@dataclass(frozen=True, slots=True)
class Start:
    """What an answer may begin with: `fixed` tokens, then one of `ids`, or any where there are none."""

    fixed: tuple[int, ...]
    ids: Ids

    def fits(self, tokens: Sequence[int]) -> bool:
        """Whether an answer may begin so."""
        count = len(self.fixed)
        if tuple(tokens[:count]) != self.fixed[: len(tokens)]:
            return False
        return len(tokens) <= count or not len(self.ids) or tokens[count] in self.ids


ANY = Start((), NONE)


class Tokens:
    """A tokenizer that never lets text turn into a special token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.encode_special_tokens = True  # '<filename>' in a file is text, not a sentinel
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}
        self._size = self._count()
        # Lines are cut apart for the sake of the memory above only where that changes no token.
        self._lines = self.encode("a\nb\nc d") == self.encode("a\nb\n") + self.encode("c d")

    @staticmethod
    def from_json(text: str) -> "Tokens":
        """From the contents of a ``tokenizer.json``."""
        return Tokens(Tokenizer.from_str(text))

    def sealed(self, ids: Iterable[int]) -> "Tokens":
        """The same, and no text turns into these ids either, whether or not the file sets them apart."""
        names = [self._tokenizer.id_to_token(i) for i in ids]
        apart = [AddedToken(n, normalized=False, special=True) for n in names if n is not None]
        self._tokenizer.add_special_tokens(apart)
        self._known.clear()
        return self

    def __len__(self) -> int:
        """One more than the greatest id; published vocabularies have holes."""
        return self._size

    @property
    def special(self) -> list[int]:
        """Ids of the tokens that the tokenizer sets apart."""
        added = self._tokenizer.get_added_tokens_decoder()
        return sorted(i for i, token in added.items() if token.special)

    def _count(self) -> int:
        tokens = self._tokenizer
        count = int(tokens.get_vocab_size())
        if tokens.id_to_token(count - 1) is not None and tokens.id_to_token(count) is None:
            return count
        return max(tokens.get_vocab().values(), default=-1) + 1

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_again(self, text: str) -> list[int]:
        """`encode` for text that is likely to come again, as most of a document does."""
        known = self._known.pop(text, None)
        self._known[text] = known = known or self.encode(text)
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return list(known)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that are no whole character become U+FFFD."""
        return b"".join(self.pieces[i] for i in ids).decode("utf-8", errors="replace")

    def seam(self, prefix: str, suffix: str, heal: bool = True, tail: bool = True) -> Seam:
        """Cut text to tokens on both sides of a gap, healing both borders or, without `tail`, one."""
        end = ""
        if heal and tail and prefix and not prefix.endswith("\n") and (word := _WORD.match(suffix)):
            end = word.group()
        after = self.encode_again(suffix[len(end) :])
        if not heal:
            return Seam(self.encode(prefix), after, "", "", (Way((), ""),))
        parted, rest = self._before_letter(prefix) if prefix[-1:].isspace() else ([], "")
        if rest and not prefix.endswith("\n"):  # ' x' is one token: it belongs to what follows
            return Seam(parted, after, rest, end, (Way((), rest),))
        ids, head = self._take_back(prefix)
        same = _common(ids, parted)
        first, last = Way(tuple(ids[same:]), head), Way(tuple(parted[same:]), rest)
        if not rest or first == last or max(len(first.fixed), len(last.fixed)) > _FIXED:
            return Seam(ids, after, head, end, (Way((), head),))
        return Seam(ids[:same], after, self.decode(first.fixed) + head, end, (first, last))

    def starts(self, seam: Seam) -> tuple[Start, ...]:
        """What an answer at a seam may begin with, each way by itself."""
        found = [(way, self.starting_with(way.rest) if way.rest else NONE) for way in seam.ways]
        return tuple(Start(way.fixed, ids) for way, ids in found)

    def _before_letter(self, prefix: str) -> tuple[list[int], str]:
        """As `_take_back`, but as the white space at the end is cut where a letter follows."""
        cut = self._cut(prefix)
        found = self._tokenizer.encode(prefix[cut:] + "x", add_special_tokens=False)
        ends = len(prefix) - cut
        begins = [start for start, _ in found.offsets if start < ends]
        rest = prefix[cut + begins[-1] :] if begins else ""
        if not rest or not len(self.starting_with(rest)):
            return [], ""
        return self.encode_again(prefix[:cut]) + found.ids[: len(begins) - 1], rest

    def _take_back(self, prefix: str) -> tuple[list[int], str]:
        """All but the last token, and its text; more tokens where they share one character.

        All of them and no text where no single token begins with that text: nothing could be given back.
        """
        cut = self._cut(prefix)
        found = self._tokenizer.encode(prefix[cut:], add_special_tokens=False)
        ids, spans = list(found.ids), list(found.offsets)
        if not ids:
            return [], ""
        start = spans.pop()[0]
        ids.pop()
        while spans and spans[-1][1] > start:
            start = min(start, spans.pop()[0])
            ids.pop()
        before, head = self.encode_again(prefix[:cut]), prefix[cut + start :]
        if not len(self.starting_with(head)):
            return before + list(found.ids), ""
        return before + ids, head

    def _cut(self, prefix: str) -> int:
        """Where the part of `prefix` that somebody types in begins: at a line between two others.

        Between two characters that are no white space a line end is a token border for every
        tokenizer whose pattern splits white space from words; 0 where there is no such place.
        """
        place = len(prefix) - _TYPING
        while self._lines and (place := prefix.rfind("\n", 0, max(place, 0))) > 0:
            if not (prefix[place - 1].isspace() or prefix[place + 1].isspace()):
                return place + 1
        return 0

    def starting_with(self, text: str) -> Ids:
        """Ids of all tokens whose text begins with `text`; a view, for there may be thousands."""
        wanted = text.encode()
        order, keys = self._sorted
        return order[bisect_left(keys, wanted) : bisect_left(keys, wanted + _BEYOND)]

    @cached_property
    def pieces(self) -> list[bytes]:
        """Each id's bytes; special tokens have their name's."""
        unicode = _byte_alphabet()
        table = [b""] * len(self)
        for token, index in self._tokenizer.get_vocab().items():
            try:
                table[index] = bytes(unicode[c] for c in token)
            except KeyError:
                table[index] = token.encode()
        return table

    @cached_property
    def _sorted(self) -> tuple[Ids, list[bytes]]:
        order = sorted(range(len(self)), key=self.pieces.__getitem__)
        return np.array(order, dtype=np.int64), [self.pieces[i] for i in order]


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes, back to bytes (Radford et al. 2019, encoder.py)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in printable}
    hidden = [b for b in range(256) if b not in table.values()]
    table.update({chr(256 + n): b for n, b in enumerate(hidden)})
    return table


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many ids both begin with."""
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
