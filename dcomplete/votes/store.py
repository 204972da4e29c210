"""The store of votes: one SQLite file that several processes may read and write at once.

It never leaves the machine. Of code it holds keyed hashes and lengths; the text itself only where
`keep_code` is asked for.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dcomplete.errors import UserError
from dcomplete.votes.schema import connect, friendly, store_path, transaction
from dcomplete.votes.types import CHOICES, PERSON, Ballot, Choice, Kind, Pair, Side

_CODE = ("prefix", "suffix", "text")
_BALLOTS = """
    SELECT pair.id, a.name AS first, b.name AS second, choice, judge, session, source,
           task_group AS "group", language, benchmark, task,
           x.latency_ms AS first_ms, y.latency_ms AS second_ms, voted, after_ms
    FROM vote JOIN pair ON pair.id = vote.pair
    JOIN side x ON x.pair = pair.id AND x.position = 'first'
    JOIN side y ON y.pair = pair.id AND y.position = 'second'
    JOIN contestant a ON a.id = x.contestant JOIN contestant b ON b.id = y.contestant
    WHERE judge = ? AND (kind = 'battle' OR kind = 'one-empty' AND judge <> 'person')
    ORDER BY voted, pair.id"""
_ORDERS = """
    SELECT count(*) FROM pair
    JOIN side x ON x.pair = pair.id AND x.position = 'first'
    JOIN side y ON y.pair = pair.id AND y.position = 'second'
    JOIN contestant a ON a.id = x.contestant JOIN contestant b ON b.id = y.contestant
    WHERE kind = 'battle' AND a.name = ? AND b.name = ?"""
_LATENCIES = """
    SELECT name, latency_ms FROM (
        SELECT name, latency_ms,
               row_number() OVER (PARTITION BY name ORDER BY shown DESC) AS age
        FROM side JOIN contestant ON contestant.id = side.contestant
        JOIN pair ON pair.id = side.pair WHERE NOT failed)
    WHERE age <= ?"""

_MET = """
    SELECT task, a.name AS one, b.name AS other FROM pair
    JOIN side x ON x.pair = pair.id AND x.position = 'first'
    JOIN side y ON y.pair = pair.id AND y.position = 'second'
    JOIN contestant a ON a.id = x.contestant JOIN contestant b ON b.id = y.contestant
    LEFT JOIN vote ON vote.pair = pair.id AND judge = ?
    WHERE benchmark = ? AND source = ?
    AND (judge IS NOT NULL OR kind IN ('identical', 'both-empty'))"""
_SIDES = """
    SELECT side.*, name, settings FROM side
    JOIN contestant ON contestant.id = side.contestant WHERE pair = ? ORDER BY position"""
_VOTES = "SELECT * FROM vote WHERE pair = ? ORDER BY voted"
_KEPT = "SELECT * FROM kept WHERE pair = ? ORDER BY after_s"


class VoteStore:
    """An open store. Safe to use from several threads; a context manager."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or make the file; raises UserError where it cannot be used."""
        self.path = path or store_path()
        self._lock = threading.Lock()
        self._connection = connect(self.path)
        salt = self._read("SELECT value FROM property WHERE name = 'salt'")
        self._salt = bytes(salt[0]["value"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def add(self, pair: Pair, keep_code: bool = False) -> None:
        """Keep that a pair was shown. `keep_code` also keeps the texts."""
        row = {
            "id": pair.id, "shown": time.time(), "kind": pair.kind.value, "session": pair.session,
            "source": pair.source, "drawn": pair.drawn, "language": pair.language,
            "benchmark": pair.benchmark, "task": pair.task, "task_group": pair.group,
            "prefix_hash": self._hash(pair.prefix), "prefix_characters": len(pair.prefix),
            "suffix_hash": self._hash(pair.suffix), "suffix_characters": len(pair.suffix),
            "prefix": _storable(pair.prefix) if keep_code else None,
            "suffix": _storable(pair.suffix) if keep_code else None,
        }  # fmt: skip
        with self._writing() as connection:
            _insert(connection, "pair", row)
            for position, side in (("first", pair.first), ("second", pair.second)):
                self._add_side(connection, pair.id, position, side, keep_code)

    def vote(
        self, id: str, choice: Choice, judge: str = PERSON, after_ms: float | None = None
    ) -> None:
        """Keep a vote on a pair that was added; raises UserError on a second one by this judge."""
        if choice not in CHOICES:
            raise UserError(f"A choice is one of {', '.join(CHOICES)}.")
        with self._writing() as connection:
            if not connection.execute("SELECT 1 FROM pair WHERE id = ?", (id,)).fetchone():
                raise UserError("There is no pair of this id to vote on.")
            row = {"pair": id, "judge": judge, "choice": choice, "voted": time.time()}
            if not _insert(connection, "vote", row | {"after_ms": after_ms}, "OR IGNORE"):
                raise UserError("This pair has been voted on.")

    def keep(self, id: str, after_s: int, share: float) -> None:
        """Keep what share of the chosen answer is still there `after_s` after it was taken."""
        row = {"pair": id, "after_s": after_s, "share": min(1.0, max(0.0, share))}
        with self._writing() as connection:
            _insert(connection, "kept", row, "OR REPLACE")

    def ballots(self, judge: str = PERSON) -> list[Ballot]:
        """All votes of a judge on battles, oldest first.

        To a program an empty answer is a wrong answer: there, those pairs count as well.
        """
        return [Ballot(**row) for row in self._read(_BALLOTS, judge)]

    def kept(self, after_s: int) -> dict[str, float]:
        """The share still there `after_s` after it was taken, by pair."""
        rows = self._read("SELECT pair, share FROM kept WHERE after_s = ?", after_s)
        return {row["pair"]: row["share"] for row in rows}

    def orders(self, one: str, other: str) -> tuple[int, int]:
        """How often `one` was shown before `other`, and after it."""
        pairs = ((one, other), (other, one))
        before, after = (int(self._read(_ORDERS, *pair)[0]["count(*)"]) for pair in pairs)
        return before, after

    def met(self, benchmark: str, source: str, judge: str) -> set[tuple[str, frozenset[str]]]:
        """The tasks, and the names of the two, on which a judge has voted or had nothing to."""
        rows = self._read(_MET, judge, benchmark, source)
        return {(row["task"], frozenset((row["one"], row["other"]))) for row in rows}

    def latencies(self, most: int = 200) -> dict[str, list[float]]:
        """The latest latencies of each contestant, milliseconds."""
        found: dict[str, list[float]] = {}
        for row in self._read(_LATENCIES, most):
            found.setdefault(row["name"], []).append(row["latency_ms"])
        return found

    def kinds(self) -> dict[Kind, int]:
        """How many pairs of each kind were shown."""
        rows = self._read("SELECT kind, count(*) AS pairs FROM pair GROUP BY kind")
        return {Kind(row["kind"]): row["pairs"] for row in rows}

    def rows(self, code: bool = False) -> Iterator[dict[str, Any]]:
        """Everything, one dictionary per pair, oldest first; texts only with `code`."""
        hidden = () if code else _CODE
        for pair in self._read("SELECT * FROM pair ORDER BY shown, id"):
            row = _without(pair, hidden)
            for side in self._read(_SIDES, pair["id"]):
                side["settings"] = json.loads(side["settings"])
                row[side["position"]] = _without(side, (*hidden, "pair", "position", "contestant"))
            for name, query in (("votes", _VOTES), ("kept", _KEPT)):
                row[name] = [_without(r, ("pair",)) for r in self._read(query, pair["id"])]
            yield row

    def _add_side(
        self, connection: sqlite3.Connection, id: str, position: str, side: Side, keep_code: bool
    ) -> None:
        settings = json.dumps(dict(side.settings), sort_keys=True, default=str)
        known = (side.contestant, settings)
        connection.execute("INSERT OR IGNORE INTO contestant (name, settings) VALUES (?, ?)", known)
        query = "SELECT id FROM contestant WHERE name = ? AND settings = ?"
        contestant = connection.execute(query, known).fetchone()[0]
        row = {
            "pair": id, "position": position, "contestant": contestant,
            "latency_ms": side.latency_ms, "failed": int(side.failed),
            "hash": self._hash(side.text), "characters": len(side.text),
            "lines": side.text.count("\n") + 1 if side.text else 0,
            "text": _storable(side.text) if keep_code else None,
        }  # fmt: skip
        _insert(connection, "side", row)

    def _hash(self, text: str) -> str:
        """Equal texts have equal hashes in this store; without its key they tell nothing."""
        data = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=self._salt).hexdigest()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, friendly(self.path), transaction(self._connection):
            yield self._connection

    def _read(self, query: str, *values: object) -> list[dict[str, Any]]:
        with self._lock, friendly(self.path):
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]


def _insert(
    connection: sqlite3.Connection, table: str, row: Mapping[str, object], how: str = ""
) -> bool:
    """Whether a row was written. Names come from this module, values never enter the statement."""
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    cursor = connection.execute(f"INSERT {how} INTO {table} ({names}) VALUES ({marks})", row)
    return cursor.rowcount == 1


def _without(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _storable(text: str) -> str:
    """A database holds no halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
