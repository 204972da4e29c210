"""Our model folders on disk. safetensors only, memory-mapped.

Our folder holds ``dcomplete.json`` (shape, regime, special ids, default policy, card), a
``tokenizer.json`` and ``*.safetensors`` pieces. Adapters (``NAME.lora_a``, ``NAME.lora_b``) are merged
when the folder is read, so a quantised base and what training changed travel apart.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.config import NetConfig
from dcomplete.models.quant import FORMATS, Parts, flatten, gather, restore
from dcomplete.models.regimes import BlockCausal, ContextCanvas, Full, Regime
from dcomplete.models.specials import Specials
from dcomplete.models.store import MANIFEST
from dcomplete.models.usage import Usage

FORMAT = 1
HOSTED = "diffusion-gemma"  # the regime of what the transformers library runs


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``dcomplete.json`` says. `regime` is "context-canvas", "full", "block-causal", "base", or
    "diffusion-gemma" for what the transformers library runs."""

    net: NetConfig
    specials: Specials
    regime: str = "context-canvas"
    suffix_first: bool = True
    shift: bool = True
    block: int = 32
    policy: str = "threshold"
    card: dict[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    def make_regime(self) -> Regime:
        """The attention regime; raises ModelError for a base that cannot infill yet."""
        match self.regime:
            case "context-canvas":
                return ContextCanvas(self.specials, self.suffix_first)
            case "full":
                return Full(self.specials, self.shift)
            case "block-causal":
                return BlockCausal(
                    self.specials,
                    self.block,
                    self.shift,
                    self.suffix_first,
                    self.usage.layout,
                    self.usage.blocks_from_end,
                )
        raise ModelError(
            "This model is an autoregressive base and cannot fill gaps yet: "
            "turn it into an infill model with 'dcomplete train run --base NAME'."
        )

    def to_json(self) -> str:
        raw = {"format": FORMAT, **asdict(self)}
        return json.dumps(raw, indent=1, ensure_ascii=False)

    @staticmethod
    def read(folder: Path) -> "Manifest":
        """Raises ModelError for a missing, damaged or newer manifest."""
        try:
            raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except OSError:
            raise ModelError(f"{folder} is no model folder (no {MANIFEST}).") from None
        except ValueError as error:
            raise ModelError(
                f"{folder / MANIFEST} is damaged ({error}); import the model again."
            ) from None
        if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
            raise ModelError(
                f"{folder} was written by another version of dcomplete; import it again."
            )
        try:
            net, specials = NetConfig(**raw.pop("net")), Specials.from_json(raw.pop("specials"))
            usage = Usage.from_json(raw.pop("usage", {}))
            return Manifest(net, specials, usage=usage, **raw)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(
                f"{folder / MANIFEST} is damaged ({error}); import the model again."
            ) from None


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder's safetensors files, memory-mapped."""
    found: dict[str, Tensor] = {}
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]
        why = " Pickled weights are not read, they can run code." if pickled else ""
        raise ModelError(f"There are no safetensors files in {folder}.{why}")
    for file in files:
        try:
            with safe_open(file, framework="pt") as opened:
                found |= {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"The weights file {file} is damaged or cut short ({error}); get the model again."
            ) from None
    return found


def load_state(folder: Path) -> dict[str, Tensor]:
    """Our folder's weights under our names, dense, adapters merged."""
    return load_both(folder)[0]


def load_both(folder: Path) -> tuple[dict[str, Tensor], dict[str, Parts]]:
    """`load_state`, and the 4-bit blocks of those weights that are just that, memory-mapped."""
    stored = gather(read_tensors(folder))
    state: dict[str, Tensor] = {}
    blocks: dict[str, Parts] = {}
    for name, (kind, parts) in stored.items():
        if name.endswith((".lora_a", ".lora_b")):
            continue
        value = restore(kind, parts)
        stem = name.removesuffix(".weight")
        if (a := stored.get(f"{stem}.lora_a")) and (b := stored.get(f"{stem}.lora_b")):
            value = value.float().addmm_(restore(*b).float(), restore(*a).float())
        elif kind == "q4_1":
            blocks[name] = parts
        state[name] = value
    return state, blocks


def save(
    folder: Path,
    manifest: Manifest,
    state: Mapping[str, Tensor],
    tokenizer_json: str,
    formats: Mapping[str, str] | None = None,
    piece_bytes: int = 48_000_000,
) -> list[Path]:
    """Write a folder of ours; `formats` maps tensor names to quantised formats. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    stored: dict[str, Tensor] = {}
    for name, value in state.items():
        kind = (formats or {}).get(name, "")
        parts = flatten(name, kind, FORMATS[kind].quantize(value)) if kind else {name: value}
        stored |= parts
    return write(folder, manifest, [stored], tokenizer_json, piece_bytes)


def write(
    folder: Path,
    manifest: Manifest,
    groups: Sequence[Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]],
    tokenizer_json: str,
    piece_bytes: int = 48_000_000,
) -> list[Path]:
    """Write already stored tensors in pieces of at most `piece_bytes` (one tensor at least).

    No piece holds tensors of two groups: what training leaves alone stays the same file. A group of
    pairs that are made while they are asked for is never in memory as a whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for group in groups:
        pairs = group.items() if isinstance(group, Mapping) else group
        for piece in _pieces(pairs, piece_bytes):
            written.append(folder / f"model-{len(written) + 1:05}.safetensors")
            save_file(piece, written[-1])
    (folder / MANIFEST).write_text(manifest.to_json() + "\n", encoding="utf-8", newline="\n")
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8", newline="\n")
    return [p.rename(p.with_stem(f"{p.stem}-of-{len(written):05}")) for p in written]


def _pieces(pairs: Iterable[tuple[str, Tensor]], most: int) -> Iterator[dict[str, Tensor]]:
    piece: dict[str, Tensor] = {}
    size = 0
    for name, value in pairs:
        bytes_ = value.numel() * value.element_size()
        if piece and size + bytes_ > most:
            yield piece
            piece, size = {}, 0
        piece[name] = value.contiguous()
        size += bytes_
    if piece:
        yield piece
