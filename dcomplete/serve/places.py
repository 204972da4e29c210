"""Where the engine process is found: its private folder, its socket or port, its locks, its log."""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from dcomplete import swapping
from dcomplete.errors import UserError

RUNTIME_VARIABLE, LOG_VARIABLE = "DCOMPLETE_RUNTIME_DIR", "DCOMPLETE_LOG_DIR"
TRANSPORT_VARIABLE = "DCOMPLETE_TRANSPORT"  # "tcp" where a file system has no Unix sockets
_LONGEST = 100  # bytes; sun_path holds 104 on macOS and 108 on Linux, see unix(7)


@dataclass(frozen=True, slots=True)
class Address:
    """A Unix-domain socket, or a port of this machine with the token that opens it."""

    socket: str = ""
    port: int = 0
    token: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The files by which clients and the one engine process of a user find each other."""

    folder: Path
    socket: Path
    tcp: bool = False

    @staticmethod
    def find() -> "Places":
        """Where they are for this user and environment."""
        folder = _chosen(RUNTIME_VARIABLE) or _default_folder()
        socket = folder / "engine.sock"
        if len(os.fsencode(socket)) > _LONGEST:
            mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
            socket = Path(tempfile.gettempdir()) / f"dcomplete-{mark}" / "engine.sock"
        tcp = os.name == "nt" or os.environ.get(TRANSPORT_VARIABLE) == "tcp"
        return Places(folder, socket, tcp)

    @property
    def engine_lock(self) -> Path:
        """Held by the engine process as long as it lives."""
        return self.folder / "engine.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the client that starts a process."""
        return self.folder / "start.lock"

    @property
    def _card(self) -> Path:
        return self.folder / "engine.json"

    def secure(self) -> None:
        """Make the folders; raises UserError where others could write or read in them."""
        private_folder(self.folder)
        if self.socket.parent != self.folder and not self.tcp:
            private_folder(self.socket.parent)
        if not self.tcp and len(os.fsencode(self.socket)) > _LONGEST:
            raise UserError(
                f"The path {self.socket} is too long for a socket; "
                f"set {RUNTIME_VARIABLE} to a folder with a shorter name."
            )

    def address(self) -> Address | None:
        """Where a process may listen; None where none has been."""
        if not self.tcp:
            return Address(socket=str(self.socket)) if self.socket.exists() else None
        try:
            card = json.loads(self._card.read_text(encoding="ascii"))
            return Address(port=int(card["port"]), token=str(card["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def publish(self, address: Address) -> None:
        """Tell clients the port and token; a socket needs no telling."""
        if not self.tcp:
            return
        fresh = self.folder / f"engine.{os.getpid()}.json"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as card:
            json.dump({"port": address.port, "token": address.token}, card)
        swapping.replace(fresh, self._card)

    def entrance(self) -> object:
        """What tells the socket, or the card, of one process from that of another; None without any."""
        if self.tcp:
            return self.address()
        with contextlib.suppress(OSError):
            found = self.socket.lstat()
            return found.st_dev, found.st_ino
        return None

    def clear(self, own: object) -> None:
        """Remove what the process left for clients: its `own` entrance.

        Where the folder was taken away and made anew, another process may have one there.
        """
        if own is None or self.entrance() != own:
            return
        for path in (self.socket, self._card):
            with contextlib.suppress(OSError):
                swapping.remove(path)


def _chosen(variable: str) -> Path | None:
    """The folder that a variable names; raises UserError for the home of somebody unknown here."""
    if not (said := os.environ.get(variable)):
        return None
    try:
        return Path(said).expanduser().absolute()
    except RuntimeError:
        raise UserError(f"{variable} is {said}, and there is no such home here.") from None


def _default_folder() -> Path:
    with warnings.catch_warnings():  # the fallback without XDG_RUNTIME_DIR is checked as well
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path("dcomplete")


def private_folder(folder: Path) -> None:
    """Make `folder` for its user alone; raises UserError where it is not."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        seen, above = folder.lstat(), folder.parent.stat()
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be used: {error.strerror}.") from None
    if not stat.S_ISDIR(seen.st_mode):
        raise UserError(f"{folder} is no folder; move it away or set {RUNTIME_VARIABLE}.")
    if os.name == "nt":  # a folder below the profile is private by its access list
        return
    if seen.st_uid != os.getuid():
        raise UserError(f"The folder {folder} belongs to another user; set {RUNTIME_VARIABLE}.")
    if seen.st_mode & 0o077:
        raise UserError(
            f"The folder {folder} is open to other users; "
            f"make it private (chmod 700 {folder}) or set {RUNTIME_VARIABLE}."
        )
    if _replaceable(above):
        raise UserError(
            f"Other users can put something else in the place of {folder}, because they can write "
            f"to the folder above it; set {RUNTIME_VARIABLE}."
        )


def _replaceable(above: os.stat_result) -> bool:
    """Whether others may rename what lies in a folder; not in one as /tmp is, which is sticky.

    A group that may write is taken for the user's own, as with umask 002, where the folder is theirs.
    """
    if above.st_mode & stat.S_ISVTX:
        return False
    trusted = above.st_uid in (0, os.getuid())
    return bool(above.st_mode & (0o002 if trusted else 0o022))


def log_folder() -> Path:
    """Where the process keeps its log."""
    return _chosen(LOG_VARIABLE) or platformdirs.user_log_path("dcomplete")


def private(path: str, flags: int) -> int:
    """The `opener` of a file that is this user's alone.

    It asks for that itself, since a umask is the whole process's, and two threads that set one and put
    the old one back may leave it set for ever.
    """
    return os.open(path, flags, 0o600)


def log_file() -> Path:
    """One line per request; rotates."""
    return log_folder() / "engine.log"


def start_file() -> Path:
    """What a process in the background says before it listens, and when it breaks."""
    return log_folder() / "start.log"
