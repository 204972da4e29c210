"""Messages out of a stream of bytes, also when the stream is damaged.

The base protocol of the Language Server Protocol: header lines, an empty line, and as many bytes as
`Content-Length` says. No input or output happens here.
"""

import re
from collections.abc import Iterator

MOST_BYTES = 256 * 1024 * 1024  # a longer message is taken for a damaged header
_MOST_HEADER = 64 * 1024

_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,12})[ \t]*$", re.IGNORECASE)
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:.*")
_MESSAGE = re.compile(rb"content-length:[ \t]*\d{1,12}[ \t]*\r?\n", re.IGNORECASE)


class Framer:
    """Collects bytes and gives message bodies; None stands for a stretch that made no sense."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._announced: int | None = None  # by the header lines so far
        self._body: int | None = None  # bytes of the body that is being read
        self._noise = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Take bytes; yields every body that is complete by now."""
        self._buffer += data
        while True:
            if self._body is not None:
                if len(self._buffer) < self._body:
                    return
                body = self._take(self._body)
                self._body = None
                yield body
            elif (end := self._buffer.find(b"\n")) >= 0:
                if self._header(self._take(end + 1).strip()):
                    yield None
            else:
                if len(self._buffer) > _MOST_HEADER:
                    del self._buffer[:-100]  # may end with the beginning of a header
                    self._noise = True
                return

    def unread(self, body: bytes) -> None:
        """Look again at a body that is no message: it may have swallowed the ones behind it."""
        if match := _MESSAGE.search(body):
            self._buffer[:0] = body[match.start() :]

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _header(self, line: bytes) -> bool:
        """Read one header line; True if a stretch of noise ended or a length is impossible."""
        bad = False
        if match := _LENGTH.search(line):
            bad = self._noise or match.start() > 0
            self._noise = False
            length = int(match[1])
            self._announced = length if length <= MOST_BYTES else None
            bad = bad or self._announced is None
        elif not line:
            bad = self._noise
            self._noise = False
            self._body, self._announced = self._announced, None
        elif not _HEADER.fullmatch(line):
            self._noise = True
        return bad
