"""``dcomplete doctor``: what is installed, what is used and why, and whether it works."""

import json
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcomplete import __version__
from dcomplete.errors import UserError

EXAMPLES = "Example: dcomplete doctor --json"

if TYPE_CHECKING:
    import torch

_PACKAGES = (
    "torch",
    "tokenizers",
    "safetensors",
    "transformers",
    "gguf",
    "triton",
    "flash-attn",
    "flash-attn-3",
    "flash-attn-4",
    "huggingface-hub",
)
_PREFIX = "def mean(values):\n    total = sum(values)\n    return total / "
_SUFFIX = "\n\n\nprint(mean([1, 2, 3]))\n"


def command(
    model: Annotated[
        str, typer.Option(help="Model name or folder; the embedded one if empty.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what is installed, which device and kernels are used and why, and time a one-line infill.

    Exit status 2 if the infill does not work; the report is printed all the same.
    """
    facts: dict[str, Any] = {
        "dcomplete": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "kernels": _tried(lambda: kernels(device)),
        "engine process": engine_process(),
        "languages": languages(),
    }
    facts["infill"] = _tried(lambda: timed_infill(model, device))
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else _readable(facts))
    for part in ("kernels", "infill"):
        if "problem" in facts[part]:
            raise UserError(facts[part]["problem"])


def _tried(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` says, or the sentence that says why it cannot."""
    try:
        return work()
    except UserError as error:
        return {"problem": str(error)}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def engine_process() -> str:
    """Whether the process that editors share runs."""
    from dcomplete.serve.start import read_status

    try:
        said = read_status()
    except UserError as error:
        return str(error)
    if said is None:
        return "not running; the first client starts it"
    return f"process {said.pid}, {said.state}, {said.memory_bytes / 1e6:.0f} MB"


def languages() -> str:
    """For which languages there is a grammar here."""
    from dcomplete.context.languages import LANGUAGES, grammar

    found = sorted(name for name, language in LANGUAGES.items() if grammar(language.grammar))
    missing = sorted(set(LANGUAGES) - set(found))
    return f"grammars for {len(found)}" + (f"; none for {', '.join(missing)}" if missing else "")


def kernels(device: str) -> dict[str, str]:
    """What is used here, each with the reason."""
    import torch

    from dcomplete.engine.load import choose_device
    from dcomplete.models.packing import best_dtype, bfloat16_kernel, int8_possible, onednn_possible

    where = choose_device(device)
    said = {"device": f"{where}: {'asked for' if device != 'auto' else _why(where.type)}"}
    said["threads"] = str(torch.get_num_threads())
    if where.type == "cuda":
        said |= {f"attention, {name}": text for name, text in attention(where).items()}
        return said | on_cuda(where)
    capable = torch.backends.cpu.get_cpu_capability()
    said["vector instructions"] = capable
    said["attention"] = "torch's fused kernel, the heads of a group as one (measured)"
    said |= {f"attention, {name}": text for name, text in attention(where).items()}
    packed = onednn_possible()
    number = best_dtype(where)
    kernel = bfloat16_kernel()
    why = f"multiplied by {kernel}" if kernel else "no AMX or AVX512-BF16 here"
    said["weights"] = f"{number}: {why}"
    said["linear layers"] = "packed by oneDNN" if packed else "plain: torch lacks oneDNN"
    said["short passes"] = _short_passes(packed)
    said["int8"] = (
        "possible, not the default: see --dtype int8" if int8_possible() else "not possible"
    )
    return said


def _short_passes(packed: bool) -> str:
    from dcomplete.models.four_bits import four_bits_possible

    if not packed:
        return "as the others: torch lacks oneDNN"
    if four_bits_possible():
        return "over 4-bit blocks, where a model has them"
    return "as the others: torch's product of 4-bit blocks needs AVX2 or AVX512, and not Windows"


def attention(device: "torch.device") -> dict[str, str]:
    """Of every attention kernel, in the order of preference: used, not needed, or why it cannot serve.

    Asked for bfloat16 heads of 128 numbers and a context length on the device, as recorded steps need.
    """
    import torch

    from dcomplete.models.kernels import KERNELS, Ask, choose

    chosen = choose(Ask(device, torch.bfloat16, 128, "length"))
    said = {name: f"no: {reason}" for name, reason in chosen.passed}
    said[chosen.kernel.name] = "used" if device.type == "cuda" else "yes"
    return {k.name: said.get(k.name, "not needed") for k in KERNELS}


def on_cuda(device: "torch.device") -> dict[str, str]:
    """What a GPU's steps are made of, and what of it cannot be had here."""
    from dcomplete.engine.vocabulary import kernel_missing
    from dcomplete.models.fp8 import why_not
    from dcomplete.models.memory import free_bytes

    missing = kernel_missing()
    return {
        "steps": "recorded as CUDA graphs, in dcomplete's own layout",
        "sampling": f"torch's own operations: {missing}" if missing else "one Triton kernel",
        "weights": "bfloat16",
        "fp8": why_not(device) or "possible, not the default: see --dtype fp8",
        "memory": f"{(free_bytes(device) or 0) / 1e9:.1f} GB free",
    }


def _why(kind: str) -> str:
    return "a CUDA device was found" if kind == "cuda" else "no CUDA device was found"


def timed_infill(model: str, device: str) -> dict[str, Any]:
    """A one-line infill with the model, cold and warm."""
    from dcomplete.engine.load import load_engine
    from dcomplete.types import InfillRequest

    engine = load_engine(model, device)
    request = InfillRequest(_PREFIX, _SUFFIX, max_tokens=16)
    cold, warm = engine.infill(request), engine.infill(request)
    return {
        "model": cold.model,
        "dtype": cold.dtype,
        "text": cold.best.texts[0],
        "load_ms": round(cold.timings.load, 1),
        "cold_ms": round(cold.timings.total, 1),
        "warm_ms": round(warm.timings.total, 1),
        "forwards": warm.forwards,
    }


def _readable(facts: dict[str, Any], indent: str = "") -> str:
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _readable(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {'not installed' if value is None else value}")
    return "\n".join(lines)
