"""The files that addresses of documents stand for."""

import os
import re
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

_DRIVE = re.compile(r"/(?=[A-Za-z]:(?:/|$))")
_SHARE = ("\\\\", "//")


def path_of(uri: str) -> Path | None:
    """The file that `uri` stands for; None for untitled and other documents that are no file."""
    try:
        parts = urlsplit(uri)
        path = unquote(parts.path)
        if parts.scheme != "file" or "\0" in path:
            return None
        named = windows_name(parts.netloc, path) if os.name == "nt" else path
        return Path(os.path.normpath(named))
    except ValueError:
        return None


def windows_name(host: str, path: str) -> str:
    """A file address's decoded path as Windows names it: editors write `/c%3A/` as well as `/C:/`.

    `urllib.request.url2pathname` reads the first as a folder `c:` and forgets the host of a share.
    """
    if host and host != "localhost":
        return f"//{host}{path}"
    return _DRIVE.sub("", path, count=1)


def is_abroad(path: PurePath, folders: tuple[PurePath, ...]) -> bool:
    """Whether `path` is on a network share that holds none of `folders`.

    Windows sends the person's name and a hash of their password to a share that a program only asks
    about, and any source file may name one: `#include "//host/share/a.h"`.
    """
    return path.drive.startswith(_SHARE) and path.drive.lower() not in {
        folder.drive.lower() for folder in folders
    }
