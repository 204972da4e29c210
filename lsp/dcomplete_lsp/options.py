"""How the server is started."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from dcomplete.errors import UserError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """`host` and `port` are None and 0 for standard streams."""

    host: str | None = None
    port: int = 0
    in_process: bool = False
    model: str = ""
    log_file: Path | None = None
    log_level: str = "warning"


def tcp_address(text: str, anywhere: bool = False) -> tuple[str, int]:
    """``HOST:PORT`` or ``PORT``; raises UserError for hosts that others can reach, unless `anywhere`."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    if not port.isdecimal() or int(port) > 65535:
        raise UserError(f"{text!r} is no address; write HOST:PORT, such as {LOOPBACK}:8123.")
    if not anywhere and not _is_loopback(host):
        raise UserError(
            f"{host} can be reached from other machines, and the protocol has no password; "
            f"use {LOOPBACK}, or --tcp-anywhere if you mean it."
        )
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
