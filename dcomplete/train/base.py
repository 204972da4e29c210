"""Where training starts: a GGUF file, a Hugging Face folder, a folder of ours, or a tiny random network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.tokens import Tokens
from dcomplete.errors import UserError
from dcomplete.models.checkpoint import Manifest, load_state
from dcomplete.models.config import NetConfig
from dcomplete.models.decoder import Decoder, unfilled
from dcomplete.models.family import Family
from dcomplete.models.importing import import_model
from dcomplete.models.names import check_shapes
from dcomplete.models.specials import Specials
from dcomplete.models.store import MANIFEST, Installing, entries, find, path_of
from dcomplete.train.adapter import special_rows, start_rows

TINY = NetConfig(
    vocab=512, hidden=64, layers=2, heads=4, kv_heads=2, head_dim=16, mlp=128,
    rope_theta=10_000.0, norm_eps=1e-5, tied=True,
)  # fmt: skip
TINY_SPECIALS = Specials(mask=3, suffix=0, prefix=1, middle=2, fill=4)
_HEAD = "length_head."
_ORIGIN = "imported"  # in the card: a digest of what was imported


@dataclass(frozen=True, slots=True)
class Base:
    """A network ready to be trained, with the tokenizer that its data must be cut with.

    One that was trained for infilling before brings its length head: then its sentinels mean something.
    """

    name: str
    net: Decoder
    manifest: Manifest
    tokenizer_json: str
    folder: Path | None  # where its stored (quantised) tensors lie
    length_head: Mapping[str, Tensor] = field(default_factory=dict)


def open_base(source: str, seed: int = 0) -> Base:
    """Load `source`; "" is a tiny random network. A file or folder is imported once, under its name.

    Raises UserError for a source that is not there or has too few free special tokens.
    """
    if not source:
        torch.manual_seed(seed)
        manifest = Manifest(TINY, TINY_SPECIALS, card={"base": "tiny random network"})
        return Base("tiny", Decoder(TINY), manifest, "", None)
    entry = find(installed(source))
    manifest = entry.manifest()
    if manifest.regime == "base":
        manifest = replace(manifest, specials=free_specials(manifest), regime="context-canvas")
    with unfilled():
        net = Decoder(manifest.net)
    state = load_state(entry.path)
    head = {n: state.pop(n).float() for n in list(state) if n.startswith(_HEAD)}
    check_shapes(dict(net.state_dict()), state)
    net.load_state_dict({name: value.float() for name, value in state.items()})
    tokenizer_json = (entry.path / "tokenizer.json").read_text(encoding="utf-8")
    manifest = replace(manifest, suffix_first=True)
    head = {name.removeprefix(_HEAD): value for name, value in head.items()}
    return Base(entry.name, net, manifest, tokenizer_json, entry.path, head)


def installed(source: str) -> str:
    """The name of an installed model for `source`, importing a file or foreign folder first.

    Raises UserError where the name that it would get belongs to something else: training would start
    from that, and nobody would notice.
    """
    path = path_of(source)
    if not path.exists() or (path / MANIFEST).is_file():
        return source
    name = path.stem if path.is_file() else path.name
    known, origin = {entry.name: entry for entry in entries()}, _origin(path)
    if name not in known:
        with Installing(name) as folder:
            manifest = import_model(path, folder)
            told = replace(manifest, card={**manifest.card, _ORIGIN: origin})
            (folder / MANIFEST).write_text(told.to_json(), encoding="utf-8", newline="\n")
    elif known[name].manifest().card.get(_ORIGIN) != origin:
        raise UserError(
            f"There is a model {name!r} already, and it was not made from {path}: "
            f"give --base {name} to start from that one, or another name to the file or folder."
        )
    return name


def _origin(path: Path) -> str:
    """What a file or folder holds, in one number."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(f for f in path.iterdir() if f.is_file()):
        with file.open("rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()


def free_specials(manifest: Manifest) -> Specials:
    """Give a base without sentinels the first special tokens that are free for it.

    The first three ids are left alone: they end texts and turns in the bases known to us.
    """
    spare = [i for i in manifest.specials.reserved if i >= 3]
    if len(spare) < 5:
        raise UserError("The base has fewer than five spare special tokens for the sentinels.")
    suffix, prefix, middle, mask, fill = spare[:5]
    rest = tuple(i for i in manifest.specials.reserved if i not in spare[:5])
    return Specials(mask, suffix, prefix, middle, fill, reserved=rest)


def untrained(source: str) -> LocalEngine:
    """A base as an engine before any training, its sentinels at the mean vector: what training is
    compared with. `verify` then answers as the base itself does, reading causally."""
    base = open_base(source)
    start_rows(base.net, special_rows(base.manifest.specials))
    base.net.eval().requires_grad_(False)
    tokens = tokens_of(base)
    regime, specials = base.manifest.make_regime(), base.manifest.specials
    family = Family(f"{base.name}, untrained", base.net, regime, specials, vocabulary=len(tokens))
    return LocalEngine(family, tokens, base.manifest.policy)


def tokens_of(base: Base) -> Tokens:
    """The base's tokenizer."""
    return Tokens.from_json(base.tokenizer_json)
