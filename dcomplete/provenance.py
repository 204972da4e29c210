"""What a measured number needs beside it: the commit and the machine. Torch only for a graphics card."""

import os
import platform
import subprocess
import sys
from pathlib import Path


def commit() -> str:
    """The commit of the working tree this runs from, or "" outside one."""
    here = Path(__file__).parent
    asked = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """The processor in words; `info` is where Linux tells of it."""
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    kernel = ", AMX" if "amx_bf16" in flags else ", AVX512-BF16" if "avx512_bf16" in flags else ""
    return f"{names[0] if names else _chip()}, {os.cpu_count()} cores{kernel}"


def _chip() -> str:
    """Its name on macOS and Windows; Linux has none for ARM's processors, so there it is their kind."""
    asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    name = os.environ.get("PROCESSOR_IDENTIFIER", "")  # Windows's word
    if sys.platform == "darwin":
        name = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return name or f"{platform.machine()} processor"


def describe_device(device: str) -> str:
    """The processor or graphics card in words."""
    import torch

    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return processor()
