"""A model's name to an engine: device and number format chosen, weights loaded, checked and packed."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.tokens import Tokens
from dcomplete.errors import ModelError, UserError
from dcomplete.models.checkpoint import HOSTED, Manifest, load_both
from dcomplete.models.decoder import Decoder, unfilled
from dcomplete.models.family import Family
from dcomplete.models.graphs import Buckets, StaticSteps
from dcomplete.models.kernels import Ask, choose
from dcomplete.models.memory import free_bytes, need, too_small
from dcomplete.models.names import check_shapes
from dcomplete.models.packing import few_rows, pack_for
from dcomplete.models.regimes import ContextCanvas, Regime
from dcomplete.models.store import Entry, find
from dcomplete.types import Stopwatch

if TYPE_CHECKING:
    from dcomplete.engine.gemma import GemmaEngine


def open_model(
    model: str = "", device: str = "auto", dtype: str = "auto"
) -> "LocalEngine | GemmaEngine":
    """See `dcomplete.open_engine`."""
    entry = find(model)
    if entry.manifest().regime != HOSTED:
        return load_engine(model, device, dtype)
    from dcomplete.engine.gemma import load_gemma

    return load_gemma(entry.name, entry.path, choose_device(device), dtype)


def load_engine(model: str = "", device: str = "auto", dtype: str = "auto") -> LocalEngine:
    """`open_model` for what looks into the engine, so that it must be our own network."""
    watch = Stopwatch()
    entry = find(model)
    where = choose_device(device)
    manifest = entry.manifest()
    if manifest.regime == HOSTED:
        raise ModelError(
            f"{entry.name!r} is run by the transformers library; this command needs our own network."
        )
    size = 4 if dtype == "float32" else 2
    if sentence := too_small(repr(entry.name), need(manifest.net, size), free_bytes(where)):
        raise ModelError(sentence)
    try:
        family = load_family(entry, manifest, where, dtype)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _no_memory(entry, manifest, where) from error
    except RuntimeError as error:
        if "alloc" in str(error) or "memory" in str(error):
            raise _no_memory(entry, manifest, where) from None
        raise
    tokens = read_tokens(entry.path).sealed(manifest.specials.named)
    if len(tokens) > manifest.net.vocab:
        raise ModelError(
            f"The tokenizer of {entry.name!r} has more tokens than its network; get it again."
        )
    family.vocabulary = len(tokens)
    return LocalEngine(family, tokens, manifest.policy, load_ms=watch.total())


def load_family(entry: Entry, manifest: Manifest, device: torch.device, dtype: str) -> Family:
    """Weights in the number format asked for, with the regime that the manifest names."""
    regime = manifest.make_regime()
    state, blocks = load_both(entry.path)
    head = _length_head(state)
    with unfilled():
        net = Decoder(manifest.net)
    check_shapes(dict(net.state_dict()), state)
    onward = isinstance(regime, ContextCanvas)  # others are never read in short passes
    label = pack_for(net, state, device, dtype, blocks if onward else None)
    net.eval().requires_grad_(False)
    head = None if head is None else head.to(device)
    family = Family(
        entry.name, net, regime, manifest.specials, head, label=label, usage=manifest.usage
    )
    family.few = few_rows(net)
    family.static = static_steps(net, regime)
    return family


def static_steps(net: Decoder, regime: Regime) -> StaticSteps | None:
    """Recorded steps where they are possible: dcomplete's own layout on a GPU."""
    like = net.norm.weight
    if like.device.type != "cuda" or not isinstance(regime, ContextCanvas):
        return None
    chosen = choose(Ask(like.device, like.dtype, net.config.head_dim, "length"))
    by_length = chosen.kernel.name != "sdpa"  # which computes over the whole buffer, masked
    return StaticSteps(net, Buckets() if by_length else Buckets(contexts=(1024, 2048, 4096, 8192)))


def _length_head(state: dict[str, torch.Tensor]) -> nn.Linear | None:
    """Take the length head out of `state`, if there is one."""
    weight = state.pop("length_head.weight", None)
    bias = state.pop("length_head.bias", None)
    if weight is None or bias is None:
        return None
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": weight.float(), "bias": bias.float()})
    return head.requires_grad_(False)


def read_tokens(folder: Path) -> Tokens:
    """The folder's tokenizer; raises ModelError."""
    path = folder / "tokenizer.json"
    try:
        return Tokens.from_json(path.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"{path} is missing; get the model again.") from None
    except Exception as error:  # the tokenizers library raises bare Exception
        raise ModelError(f"{path} is damaged ({error}); get the model again.") from None


def choose_device(name: str) -> torch.device:
    """ "auto" is the GPU where there is one; raises UserError for a device that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"Unknown device {name!r}; use auto, cpu or cuda.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here; use --device cpu.")
    if device.type == "cuda" and device.index:
        raise UserError(
            f"Choose a card by the environment, CUDA_VISIBLE_DEVICES={device.index}, and --device cuda."
        )
    if device.type == "mps":
        raise UserError("Apple's graphics cards are not supported; use --device cpu, or auto.")
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"Device {name!r} is not supported; use auto, cpu or cuda.")
    return torch.device(device.type)


def _no_memory(entry: Entry, manifest: Manifest, device: torch.device) -> ModelError:
    need = manifest.net.parameters * 4 / 1e9
    return ModelError(
        f"Not enough memory on {device} for {entry.name!r} (about {need:.1f} GB in float32); "
        "use a smaller model or close other programs."
    )
