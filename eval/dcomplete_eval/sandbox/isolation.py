"""The command lines that shut a program in: bubblewrap, setpriv and prlimit.

* bubblewrap: namespaces of its own for users, processes, network, IPC and mounts; only /usr, read-only,
  a small /tmp and four devices; no /proc, no capabilities, no more namespaces; dies with the harness.
* setpriv: root becomes a plain user first, since the kernel counts no processes of root's.
* prlimit: memory, processor time, processes, files, set inside so that only the sandbox's are counted.

`--as-pid-1` matters: signals from inside cannot end the guard, and no other process is there whose
files the program could take.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dcomplete.errors import UserError

INSTALL = (
    "Model-written code runs only in a sandbox, and {what}: on Debian or Ubuntu "
    "`apt install bubblewrap util-linux python3`, in a container allow user namespaces (or pass "
    "--unsafe to run it without any)."
)
NO_LINUX = (
    "Model-written code runs only in a sandbox, which needs Linux: run this on a Linux machine or in a "
    "container of one (or pass --unsafe to run it without any)."
)
WINDOWS = (
    "Model-written code is judged by processes that Windows does not have, with or without a sandbox: "
    "run this on Linux (WSL 2 is one), or take a benchmark that compares texts."
)
_PLAIN_USER = 65534  # nobody
_OLDEST = (0, 8)  # bubblewrap with --disable-userns and --size
_DEVICES = ("null", "zero", "random", "urandom")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # a verdict must not depend on the order of a set
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use. Bytes and seconds."""

    processor: int = 3  # seconds of each process: what is published as wall time, for idle machines
    wall: float = 8.0  # seconds from start to end, for sleepers; waiting for a processor is free
    memory: int = 512 << 20  # address space of each process
    processes: int = 6  # with the guard; so all together hold less than 3 GiB
    file: int = 4 << 20  # each
    scratch: int = 16 << 20  # all files together
    files: int = 32  # open in one process
    output: int = 64 << 10  # printed, where that is kept


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs found on this machine; "" where there is none."""

    python: str
    bwrap: str = ""
    setpriv: str = ""
    prlimit: str = ""
    version: str = ""  # of bubblewrap


def find_tools() -> Tools:
    """Everything that the sandbox needs. Raises UserError that says what is missing."""
    if sys.platform != "linux":
        raise UserError(NO_LINUX)
    found = {name: shutil.which(name) or "" for name in ("bwrap", "setpriv", "prlimit")}
    missing = [name for name, path in found.items() if not path]
    if missing:
        raise UserError(INSTALL.format(what=f"there is no {' or '.join(missing)}"))
    said = subprocess.run(
        [found["bwrap"], "--version"], capture_output=True, text=True, check=False
    )
    version = tuple(int(n) for n in re.findall(r"\d+", said.stdout)[:2])
    if version < _OLDEST:
        raise UserError(INSTALL.format(what="bubblewrap here is older than 0.8"))
    return Tools(find_python(), **found, version=said.stdout.split()[-1])


def find_some_tools() -> Tools:
    """What there is for running without a sandbox."""
    found = {name: shutil.which(name) or "" for name in ("setpriv", "prlimit")}
    return Tools(find_python(), **found)


def find_python() -> str:
    """A Python that any user may run: the system's, or else the one that runs this."""
    own = (Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}").resolve()
    for path in ("/usr/bin/python3", "/usr/local/bin/python3", str(own)):
        if Path(path).exists() and _may_be_used(Path(path)) and _is_new(path):
            return path
    raise UserError(INSTALL.format(what="there is no Python of 3.11 or newer below /usr"))


def _may_be_used(path: Path) -> bool:
    """Whether the user that the program runs as can reach it: root's home cannot be."""
    if os.geteuid() or path.is_relative_to("/usr"):
        return True
    return all(p.stat().st_mode & 0o001 for p in path.parents)


def _is_new(path: str) -> bool:
    check = [path, "-I", "-S", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(check, check=False, stdin=subprocess.DEVNULL).returncode == 0


def shut_in(tools: Tools, limits: Limits, filter_file: int | None) -> list[str]:
    """The words to put before a command; `filter_file` is an open file with the seccomp filter."""
    words = _as_plain_user(tools)
    words += [tools.bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--as-pid-1"]
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    words += ["--hostname", "sandbox"]
    for name, value in _ENVIRONMENT.items():
        words += ["--setenv", name, value]
    words += _system()
    for device in _DEVICES:
        words += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    words += ["--size", str(limits.scratch), "--tmpfs", "/tmp", "--chdir", "/tmp"]
    if not Path(tools.python).is_relative_to("/usr"):
        prefix = str(Path(tools.python).parents[1])
        words += ["--ro-bind", prefix, prefix]
    words += ["--remount-ro", "/"]
    if filter_file is not None:
        words += ["--seccomp", str(filter_file)]
    return [*words, "--", *_limited(tools, limits), f"--nproc={limits.processes}", "--"]


def describe(tools: Tools, filtered: bool) -> str:
    """The sandbox in words, for reports."""
    user = _PLAIN_USER if tools.setpriv and not os.geteuid() else os.geteuid()
    return f"bubblewrap {tools.version}, {'seccomp, ' if filtered else ''}uid {user}"


def let_loose(tools: Tools, limits: Limits) -> list[str]:
    """The words to put before a command where the user insists: limits where there is prlimit."""
    return [*_as_plain_user(tools), *(_limited(tools, limits) if tools.prlimit else [])]


def environment() -> dict[str, str]:
    """What a program without a sandbox finds in its environment."""
    return dict(_ENVIRONMENT)


def _as_plain_user(tools: Tools) -> list[str]:
    if os.geteuid() or not tools.setpriv:
        return []
    user = [f"--reuid={_PLAIN_USER}", f"--regid={_PLAIN_USER}"]
    return [tools.setpriv, *user, "--clear-groups", "--no-new-privs"]


def _limited(tools: Tools, limits: Limits) -> list[str]:
    return [
        tools.prlimit,
        f"--as={limits.memory}",
        f"--cpu={limits.processor}:{limits.processor + 1}",
        f"--fsize={limits.file}",
        f"--nofile={limits.files}",
        "--core=0",
    ]


def _system() -> list[str]:
    """The system's programs and libraries, read-only."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    return [*words, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
