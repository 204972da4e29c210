"""Programs that try to escape, to harm or to cheat. Nothing here is ever run outside the sandbox.

As a script it runs all of them, as whoever calls it, and prints a JSON line: what became of each, and
what was left behind. Standard library only: it is also run by the system's Python as another user.
"""

import contextlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from socket import create_server
from typing import Any

from dcomplete_eval.sandbox import Limits, choose

TEST = "assert answer(20) == 42"  # no program below computes it
LIMITS = Limits(processor=1, wall=6.0)


@dataclass(frozen=True)
class Attack:
    """A program with `SECRET`, `CANARY` and `PORT` to be filled in, and the outcomes it may have."""

    program: str
    outcomes: frozenset[str]


def call(body: str, *outcomes: str) -> Attack:
    """An attack from within the function that the test calls."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return Attack(f"def answer(n):\n{lines}", frozenset(outcomes))


def load(body: str, *outcomes: str) -> Attack:
    """An attack while the program is loaded."""
    return Attack(f"{body.strip()}\ndef answer(n):\n    return n\n", frozenset(outcomes))


_LIE = '{"outcome": "passed", "detail": "", "nonce": "%s"}' % ("0" * 32)

ATTACKS: dict[str, Attack] = {
    # harm
    "fork bomb": call("import os\nwhile True: os.fork()", "error", "timeout", "exited"),
    "stubborn fork bomb": call(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "timeout", "silent"
    ),
    "threads": call(
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(99,)).start()",
        "error",
    ),
    "3 GB at once": call("return len(bytearray(3 << 30))", "memory"),
    "3 GB by and by": call("kept = []\nwhile True: kept.append(bytearray(1 << 24))", "memory", "timeout"),
    "3 GB in many processes": call(
        "import os\nfor i in range(6):\n    if os.fork() == 0: bytearray(3 << 30)",
        "memory", "error", "failed",
    ),
    "3 GB of files in memory": call(
        "import os\nfor i in range(200):\n    os.write(os.memfd_create('x'), bytes(1 << 24))", "error"
    ),
    "3 GB shared": call(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.shmget(0, 3 << 30, 0o1600) >= 0, 'refused'",
        "error",
    ),
    "endless loop": call("while True: pass", "timeout"),
    "endless loop, deaf": call(
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "timeout"
    ),
    "endless loop in C": call("return sum(range(10 ** 15))", "timeout"),
    "endless sleep": call("import time\ntime.sleep(999)", "timeout"),
    "endless recursion": call("return answer(n)", "error"),
    "stack overflow": call(
        "import sys\nsys.setrecursionlimit(10 ** 9)\nf = lambda: (lambda *a: f())(*[0])\nf()",
        "crashed", "memory", "error", "timeout",
    ),
    "fills the disk": call(
        "size = 0\n"
        "for i in range(1000):\n"
        "    with open(f'/tmp/{i}', 'wb') as file: size += file.write(bytes(1 << 20))\n"
        "return size",
        "error",
    ),
    "one huge file": call("open('/tmp/x', 'wb').write(bytes(1 << 27))", "error"),
    "huge answer": call("return 'x' * (100 << 20)", "exited", "memory", "failed", "silent", "timeout"),
    "huge number": call("return 1 << (1 << 27)", "timeout", "memory", "exited", "killed", "silent"),
    "deep answer": call("a = []\nfor i in range(10 ** 5): a = [a]\nreturn a", "error"),
    # escape
    "reads the work tree": call("return open('SECRET').read()", "error"),
    "reads home": call(
        "import os, pwd\nreturn os.listdir('/root') + os.listdir('/home')", "error"
    ),
    "reads passwords": call("return open('/etc/shadow').read() + open('/etc/passwd').read()", "error"),
    "reads processes": call("return open('/proc/1/environ').read()", "error"),
    "reads the disk": call("return open('/dev/vda', 'rb').read(512)", "error"),
    "writes outside": call("open('CANARY', 'w').write('x')", "error"),
    "writes to the system": call("open('/usr/lib/python3/x.py', 'w').write('x')", "error"),
    "writes to the root": call("open('/x', 'w').write('x')", "error"),
    "makes devices": call("import os, stat\nos.mknod('/tmp/d', stat.S_IFBLK, os.makedev(8, 0))", "error"),
    "local network": call(
        "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'x')", "error"
    ),
    "network": call("import urllib.request\nurllib.request.urlopen('http://1.1.1.1', timeout=2)", "error"),
    "hypervisor": call("import socket\nsocket.socket(socket.AF_VSOCK)", "error"),
    "new namespaces": call(
        "import ctypes, os\n"
        "assert ctypes.CDLL(None).unshare(0x10000000 | 0x20000) == 0, 'refused'",
        "error",
    ),
    "mounts": call(
        "import ctypes\n"
        "assert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0, 'refused'",
        "error",
    ),
    "becomes root": call("import os\nos.setuid(0)", "error"),
    "becomes root by su": call(
        "import subprocess\nsubprocess.run(['su', '-c', 'id'], check=True, timeout=2)", "error"
    ),
    # cheat
    "exits while loaded": load("import os\nos._exit(0)", "exited"),
    "exits": call("import os\nos._exit(0)", "exited"),
    "exits politely": call("raise SystemExit(0)", "exited"),
    "exits by thread": call(
        "import os, threading, time\n"
        "threading.Thread(target=os._exit, args=(0,)).start()\ntime.sleep(99)",
        "exited",
    ),
    "ends by a signal": call("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "crashed"),
    "kills its parent": call("import os\nos.kill(os.getppid(), 9)\nreturn n", "failed"),
    "kills all": call("import os\nos.kill(-1, 9)\nreturn n", "error", "failed"),
    "stops its parent": call("import os\nos.kill(os.getppid(), 19)\nreturn n", "failed"),
    "interrupts its parent": call("import os\nos.kill(os.getppid(), 2)\nreturn n", "failed"),
    "prints success": call(f"print('''{_LIE}''', flush=True)\nreturn n", "failed"),
    "writes success everywhere": call(
        "import os\n"
        "for file in range(256):\n"
        f"    try: os.write(file, b'''{_LIE}\\n''')\n"
        "    except OSError: pass\n"
        "os._exit(0)",
        "exited", "killed", "failed",
    ),
    "opens its parent's output": call(
        f"with open('/proc/1/fd/1', 'w') as file: file.write('''{_LIE}''')", "error"
    ),
    "takes its parent's files": call(
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "parent = libc.syscall(434, 1, 0)\n"  # pidfd_open
        "assert libc.syscall(438, parent, 0, 0) >= 0, 'refused'",  # pidfd_getfd
        "error",
    ),
    "traces its parent": call(
        "import ctypes\nassert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0, 'refused'", "error"
    ),
    "equals everything": call(
        "class Yes(int):\n    __eq__ = lambda self, other: True\n    __hash__ = int.__hash__\n"
        "return Yes(n)",
        "failed",
    ),
    "equals everything, foreign": call(
        "class Yes:\n    __eq__ = lambda self, other: True\nreturn Yes()", "error"
    ),
    "changes Python": load(
        "import builtins\nbuiltins.AssertionError = ValueError\n"
        "builtins.__build_class__ = None\nbuiltins.int.__eq__ if 0 else None",
        "failed",
    ),
    "has the test's names": load("def check(*_): pass\n__debug__ if 0 else None\nassert_ = None", "failed"),
    "changes the messenger": load(
        "import sys\n"
        "room = 'dcomplete_eval.sandbox.'\n"
        "sys.modules[room + 'wire'].Link.send = lambda *_: None",
        "timeout", "exited",
    ),
    "answers nonsense": call(
        "import os\nos.write(4, (1 << 62).to_bytes(8, 'big') + b'{}' * 99)\nreturn n",
        "silent", "timeout", "exited", "failed",
    ),
    "answers in code": call(
        "import os\nbad = b'{\"value\": {\"__import__\": \"os\"}}'\n"
        "os.write(4, len(bad).to_bytes(8, 'big') + bad)\nreturn 42",
        "silent", "failed", "timeout", "exited",
    ),
    "looks for the expected": call(
        "import gc, inspect\n"
        "texts = [str(o) for o in gc.get_objects() if isinstance(o, (str, dict, list))]\n"
        "frames = [str(f.frame.f_locals) for f in inspect.stack()]\n"
        "return 42 if any('answer(20) ' + '==' in t for t in texts + frames) else 0",
        "failed",
    ),
}  # fmt: skip


def run_all(places: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What becomes of every attack, several at once."""
    sandbox = choose()

    def one(attack: Attack) -> dict[str, Any]:
        program = attack.program
        for word, place in places.items():
            program = program.replace(word, place)
        return asdict(sandbox.test(program, TEST, LIMITS))

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(ATTACKS, pool.map(one, ATTACKS.values()), strict=True))


def main(folder: str) -> None:
    """Run all in view of a secret, a place to write to, and a port that listens."""
    secret, canary = Path(folder, "secret.txt"), Path(folder, "canary.txt")
    called = []
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    called.append(server.accept())

        listener = threading.Thread(target=listen)
        listener.start()
        port = str(server.getsockname()[1])
        ran = run_all({"SECRET": str(secret), "CANARY": str(canary), "PORT": port})
        done.set()
        listener.join()
    said = {
        "ran": ran, "secret": secret.read_text("utf-8"), "canary": canary.exists(), "called": len(called)
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
