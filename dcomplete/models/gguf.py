"""Import of a GGUF file: shape, weights and tokenizer of a Llama, Qwen2 or Qwen3 base.

Needs the `gguf` package (extra ``gguf``), which knows every quantisation of llama.cpp.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcomplete.errors import ModelError
from dcomplete.models.config import FAMILIES, NetConfig
from dcomplete.models.names import from_hf, gguf_name, parts
from dcomplete.models.tokenizer_files import QWEN2_SPLIT


class GgufFile:
    """A GGUF file opened for reading; tensors are dequantised one at a time."""

    def __init__(self, path: Path) -> None:
        try:
            from gguf import GGUFReader
        except ImportError:
            raise ModelError("Reading GGUF files needs: pip install 'dcomplete[gguf]'.") from None
        try:
            self._reader = GGUFReader(path)
        except FileNotFoundError:
            raise ModelError(f"There is no file {path}.") from None
        except (ValueError, IndexError, OSError) as error:
            raise ModelError(f"{path} is not a readable GGUF file ({error}).") from None
        self._tensors = {t.name: t for t in self._reader.tensors}
        self.family = str(self.field("general.architecture"))
        if self.family not in FAMILIES:
            raise ModelError(f"GGUF architecture {self.family!r} is not supported.")

    def field(self, name: str, default: Any = None) -> Any:
        """The value of a metadata field."""
        found = self._reader.fields.get(name)
        return default if found is None else found.contents()

    def config(self) -> NetConfig:
        """The network's shape."""

        def of(name: str, default: Any = None) -> Any:
            return self.field(f"{self.family}.{name}", default)

        if (scaling := of("rope.scaling.type", "none")) != "none":
            raise ModelError(f"Rotary scaling {scaling!r} is not supported.")
        hidden, heads = of("embedding_length"), of("attention.head_count")
        return NetConfig(
            vocab=len(self.field("tokenizer.ggml.tokens")),
            hidden=hidden,
            layers=of("block_count"),
            heads=heads,
            kv_heads=of("attention.head_count_kv", heads),
            head_dim=of("attention.key_length", hidden // heads),
            mlp=of("feed_forward_length"),
            rope_theta=float(of("rope.freq_base", 10_000.0)),
            norm_eps=float(of("attention.layer_norm_rms_epsilon", 1e-6)),
            tied="output.weight" not in self._tensors,
            qkv_bias=self.family == "qwen2",
            qk_norm=self.family == "qwen3",
            max_positions=of("context_length", 8192),
        )

    def tensor(self, hf: str) -> Tensor:
        """The tensor that Hugging Face calls `hf`, float32; raises KeyError."""
        from gguf import dequantize

        found = self._tensors.get(gguf_name(hf))
        if found is None:
            raise KeyError(hf)
        value = torch.from_numpy(dequantize(found.data, found.tensor_type).copy())
        if self.family == "llama" and hf.endswith(("q_proj.weight", "k_proj.weight")):
            heads = self.config().heads if "q_proj" in hf else self.config().kv_heads
            value = _unpermute(value, heads)
        return value.float()

    def quantized(self, hf: str) -> tuple[str, Tensor]:
        """Type name and raw blocks of a tensor, rows first, uint8 [rows, bytes]; raises KeyError."""
        found = self._tensors.get(gguf_name(hf))
        if found is None:
            raise KeyError(hf)
        raw = torch.from_numpy(found.data.copy())
        if self.family == "llama" and hf.endswith(("q_proj.weight", "k_proj.weight")):
            heads = self.config().heads if "q_proj" in hf else self.config().kv_heads
            raw = _unpermute(raw, heads)
        return found.tensor_type.name.lower(), raw

    def state(self) -> dict[str, Tensor]:
        """All weights under our names, float32."""
        return from_hf(self.config(), self.tensor)

    def names(self) -> dict[str, tuple[str, ...]]:
        return parts(self.config())

    def tokenizer_json(self) -> str:
        """The byte-level BPE tokenizer in the `tokenizers` library's own format."""
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

        tokens = self.field("tokenizer.ggml.tokens")
        merges = [tuple(m.split(" ", 1)) for m in self.field("tokenizer.ggml.merges", [])]
        bpe = models.BPE({t: i for i, t in enumerate(tokens)}, merges)
        tokenizer = Tokenizer(bpe)
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        match self.field("tokenizer.ggml.pre"):
            case "smollm":
                split: Any = pre_tokenizers.Digits(individual_digits=True)
                level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
            case "qwen2":
                split = pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated")
            case other:
                raise ModelError(
                    f"GGUF tokenizer {other!r} is unknown; import the original folder."
                )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
        tokenizer.decoder = decoders.ByteLevel()
        special = [
            t
            for t, k in zip(tokens, self.field("tokenizer.ggml.token_type"), strict=True)
            if k == 3
        ]
        tokenizer.add_special_tokens(
            [AddedToken(t, normalized=False, special=True) for t in special]
        )
        return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False)


def _unpermute(x: Tensor, heads: int) -> Tensor:
    """Undo llama.cpp's interleaving of rotary halves in the rows of q and k, [rows, ..]."""
    split = x.reshape(heads, x.shape[0] // heads // 2, 2, *x.shape[1:])
    return split.swapaxes(1, 2).reshape(x.shape)
