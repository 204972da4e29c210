"""A hub on the loopback that speaks what a download needs: model_info, HEAD and GET of resolve, ranges.

It can cut connections, change bytes, and remembers what it was asked for.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class Hub:
    """What the server has, and how it misbehaves."""

    files: dict[str, bytes]
    repository: str = "someone/some-model"
    cut_after: int | None = None  # bytes of a weight file sent before the connection breaks
    cuts: int = 10**9  # how often it breaks
    lost_after: int = 10**9  # breaks after which nothing arrives at all
    spared: str = ""  # a weight file that always arrives
    corrupt: str = ""  # a file whose bytes arrive changed
    claim: int | None = None  # the size that the listing claims for weight files
    gated: bool = False
    sent: list[tuple[str, int]] = field(default_factory=list)  # file and first byte of every GET
    url: str = ""

    def listing(self) -> dict[str, object]:
        siblings = []
        for name, data in self.files.items():
            blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
            row: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": blob}
            if name.endswith((".safetensors", ".bin")):
                size = self.claim or len(data)
                sha = hashlib.sha256(data).hexdigest()
                row |= {"size": size, "lfs": {"sha256": sha, "size": size, "pointerSize": 134}}
            siblings.append(row)
        return {"id": self.repository, "modelId": self.repository, "sha": COMMIT, "siblings": siblings,
                "tags": [], "private": False, "downloads": 0, "likes": 0}  # fmt: skip

    def etag(self, name: str) -> str:
        if name.endswith((".safetensors", ".bin")):
            return hashlib.sha256(self.files[name]).hexdigest()
        data = self.files[name]
        return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/models/{hub.repository}"):
                if hub.gated:
                    self._refuse(403, "GatedRepo")
                    return
                self._json(hub.listing())
                return
            place = f"/{hub.repository}/resolve/{COMMIT}/"
            name = path.removeprefix(place)
            if not path.startswith(place) or name not in hub.files:
                self._refuse(404, "EntryNotFound" if path.startswith(place) else "RepoNotFound")
                return
            self._file(name, body)

        def _file(self, name: str, body: bool) -> None:
            data = hub.files[name]
            found = _RANGE.match(self.headers.get("Range") or "")
            start = int(found[1]) if found else 0
            if body:
                hub.sent.append((name, start))
            if name == hub.corrupt:
                data = data[:-1] + bytes([data[-1] ^ 1])
            self.send_response(206 if found else 200)
            self.send_header("Content-Length", str(len(data) - start))
            if found:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("ETag", f'"{hub.etag(name)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            if not body:
                return
            part = data[start:]
            weights = name.endswith(".safetensors") and name != hub.spared
            if weights and hub.cut_after is not None and hub.cuts > 0 and len(part) > hub.cut_after:
                hub.cuts -= 1
                hub.lost_after -= 1
                self.wfile.write(part[: hub.cut_after if hub.lost_after >= 0 else 0])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(part)

        def _json(self, value: object) -> None:
            raw = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def contents(folder: Path) -> dict[str, bytes]:
    """A folder's files, as a repository has them."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
