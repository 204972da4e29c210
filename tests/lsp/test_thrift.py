"""Free memory goes back to the system, and no large text leaves a hole behind."""

import subprocess
import sys

import pytest

from dcomplete_lsp.thrift import Thrift

_PIECES = """
import ctypes, sys
from dcomplete_lsp.thrift import map_large_texts
class Info(ctypes.Structure):
    _fields_ = [(n, ctypes.c_size_t) for n in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]
library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
if sys.argv[1] == "thrift":
    map_large_texts()
full = ["x" * 30_000 for _ in range(200)]  # no free room is left from what was imported
before = library.mallinfo2().hblks
texts = ["x" * (40_000 + n) for n in range(20)]
print(library.mallinfo2().hblks - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize(("how", "own"), [("plain", 0), ("thrift", 20)])
def test_a_document_is_a_piece_of_memory_of_its_own(how, own):
    """Of 20 texts each is mapped by itself, so that nothing is left of it once it is gone. (A few may
    find room in what is free already.)"""
    command = [sys.executable, "-c", _PIECES, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mallinfo2" in done.stderr:
        pytest.skip("this C library does not tell")
    assert done.returncode == 0, done.stderr
    assert own - 6 <= int(done.stdout) <= own + 1


def test_it_gives_back_now_and_then():
    thrift = Thrift(3)
    told = [thrift.tick() for _ in range(6)]
    assert told == ([False, False, True] * 2 if sys.platform == "linux" else [False] * 6)
