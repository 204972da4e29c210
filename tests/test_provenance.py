"""What stands beside a measured number."""

import os
import platform

from dcomplete.provenance import processor

ARM = """processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp bf16 i8mm
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
INTEL = """processor\t: 0
model name\t: Some(R) Processor
flags\t\t: fpu avx512_bf16 amx_bf16
"""


def test_a_processor_is_named_or_else_its_kind(tmp_path):
    (tmp_path / "intel").write_text(INTEL)
    (tmp_path / "arm").write_text(ARM)
    cores = f"{os.cpu_count()} cores"
    assert processor(tmp_path / "intel") == f"Some(R) Processor, {cores}, AMX"
    for file in ("arm", "none"):  # Linux tells of ARM's so; elsewhere there is no such file
        said = processor(tmp_path / file)
        assert said.endswith(f", {cores}") and not said.startswith("CPU,")
    if platform.system() == "Linux":
        assert processor(tmp_path / "arm").startswith(platform.machine())
