"""A seccomp filter for the sandbox: system calls that no small program needs are refused.

Namespaces leave the whole kernel within reach. This denies what could look into other processes, hold
memory that the limits do not count, change mounts or namespaces, or reach a host past the network
namespace (sockets other than AF_UNIX, such as AF_VSOCK). Numbers from the kernel's `unistd_64.h` and
`asm-generic/unistd.h`; instructions from `linux/filter.h`.
"""

import errno
import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JGE, RET|K
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_AF_UNIX = 1
_X32 = 0x40000000  # another table of numbers on the same architecture

_SAME = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 447)
"""io_uring_*, open_tree, move_mount, fsopen ... fspick, pidfd_getfd, process_madvise, mount_setattr,
memfd_secret: numbered alike everywhere."""

# ptrace, shmget, semget, msgget, mq_open, mount, umount2, pivot_root, unshare, setns, keyctl, add_key,
# request_key, perf_event_open, bpf, userfaultfd, memfd_create, process_vm_readv, process_vm_writev,
# kcmp, open_by_handle_at, kexec_load, init_module, finit_module
_TABLES: dict[str, tuple[int, int, tuple[int, ...]]] = {  # AUDIT_ARCH_*, socket, refused
    "x86_64": (
        0xC000003E, 41,
        (101, 29, 64, 68, 240, 165, 166, 155, 272, 308, 250, 248, 249, 298, 321, 323, 319, 310, 311,
         312, 304, 246, 175, 313),
    ),
    "aarch64": (
        0xC00000B7, 198,
        (117, 194, 190, 186, 180, 40, 39, 41, 97, 268, 219, 217, 218, 241, 280, 282, 279, 270, 271,
         272, 265, 104, 105, 273),
    ),
}  # fmt: skip


def program(machine: str = "") -> bytes:
    """The filter as an array of struct sock_filter for `bwrap --seccomp`; b"" for unknown machines."""
    table = _TABLES.get(machine or platform.machine())
    if table is None:
        return b""
    architecture, socket, refused = table
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in (*refused, *_SAME):
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    code += [
        (_EQUAL, 0, 3, socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
