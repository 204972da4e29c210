"""What a measured number needs beside it: the commit and the machine. Torch only for a graphics card."""

import os
import subprocess
from pathlib import Path


def commit() -> str:
    """The commit of the working tree this runs from, or "" outside one."""
    here = Path(__file__).parent
    asked = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor() -> str:
    """The processor in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    kernel = ", AMX" if "amx_bf16" in flags else ", AVX512-BF16" if "avx512_bf16" in flags else ""
    name = names[0] if names else os.environ.get("PROCESSOR_IDENTIFIER", "CPU")  # Windows's word
    return f"{name}, {os.cpu_count()} cores{kernel}"


def describe_device(device: str) -> str:
    """The processor or graphics card in words."""
    import torch

    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return processor()
