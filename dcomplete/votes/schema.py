"""The database file: where it lies, its tables, and how older ones become newer ones."""

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dcomplete.errors import UserError

ENVIRONMENT = "DCOMPLETE_VOTES"
_BUSY_S = 30.0  # how long a process waits while another one writes
_PRIVATE = 0o600

# One tuple of statements per version; a file of version n has had the first n done to it.
MIGRATIONS: Sequence[tuple[str, ...]] = (
    (
        "CREATE TABLE property (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
        """CREATE TABLE contestant (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, settings TEXT NOT NULL,
            UNIQUE (name, settings))""",
        """CREATE TABLE pair (
            id TEXT PRIMARY KEY, shown REAL NOT NULL, kind TEXT NOT NULL,
            session TEXT NOT NULL, source TEXT NOT NULL, drawn TEXT NOT NULL,
            language TEXT NOT NULL, benchmark TEXT NOT NULL, task TEXT NOT NULL,
            task_group TEXT NOT NULL,
            prefix_hash TEXT NOT NULL, prefix_characters INTEGER NOT NULL,
            suffix_hash TEXT NOT NULL, suffix_characters INTEGER NOT NULL,
            prefix TEXT, suffix TEXT)""",
        """CREATE TABLE side (
            pair TEXT NOT NULL REFERENCES pair (id) ON DELETE CASCADE,
            position TEXT NOT NULL CHECK (position IN ('first', 'second')),
            contestant INTEGER NOT NULL REFERENCES contestant (id),
            latency_ms REAL NOT NULL, failed INTEGER NOT NULL,
            hash TEXT NOT NULL, characters INTEGER NOT NULL, lines INTEGER NOT NULL,
            text TEXT, PRIMARY KEY (pair, position)) WITHOUT ROWID""",
        """CREATE TABLE vote (
            pair TEXT NOT NULL REFERENCES pair (id) ON DELETE CASCADE,
            judge TEXT NOT NULL,
            choice TEXT NOT NULL CHECK (choice IN ('first', 'second', 'tie', 'neither')),
            voted REAL NOT NULL, after_ms REAL, PRIMARY KEY (pair, judge)) WITHOUT ROWID""",
        """CREATE TABLE kept (
            pair TEXT NOT NULL REFERENCES pair (id) ON DELETE CASCADE,
            after_s INTEGER NOT NULL,
            share REAL NOT NULL CHECK (share BETWEEN 0 AND 1),
            PRIMARY KEY (pair, after_s)) WITHOUT ROWID""",
        "CREATE INDEX side_by_contestant ON side (contestant)",
    ),
)


def store_path() -> Path:
    """The user's own store; DCOMPLETE_VOTES names another file."""
    import platformdirs

    given = os.environ.get(ENVIRONMENT)
    return Path(given) if given else platformdirs.user_data_path("dcomplete") / "votes.sqlite3"


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file, private to the user and of the newest version.

    Raises UserError where it is damaged, of a newer dcomplete, or cannot be written.
    """
    with friendly(path):
        _make_private(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _configure(connection)
            migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[tuple[str, ...]] = MIGRATIONS,
) -> None:
    """Bring the tables to the newest version, in one transaction; others wait meanwhile."""
    if _version(connection) == len(migrations):
        return
    with transaction(connection):
        version = _version(connection)
        if version > len(migrations):
            raise UserError(
                f"The votes in {path} are of a newer dcomplete; please update this one."
            )
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        if version == 0:
            salt = secrets.token_bytes(16)
            connection.execute("INSERT INTO property VALUES ('salt', ?)", (salt,))
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. Takes the right to write at once: two readers cannot block each other."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def friendly(path: Path) -> Iterator[None]:
    """What goes wrong with the file as one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise UserError(f"The votes in {path} cannot be used: {error}.") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UserError(f"The votes in {path} cannot be used: {why}.") from error


def _make_private(path: Path) -> None:
    """An empty file that only the user may read; SQLite gives its journals the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
    if path.stat().st_mode & 0o077:
        path.chmod(_PRIVATE)


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # a vote is rare and dear
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # the busy timeout does not cover this change
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
