"""Tiny random checkpoints as the families publish theirs: names, config fields, ids, tokenizer files."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from torch import Tensor

HIDDEN, LAYERS, HEADS, KV, MLP = 16, 2, 4, 2, 24
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
LLAMA_NAMES = {
    "table": "model.embed_tokens.weight",
    "norm": "model.norm.weight",
    "head": "lm_head.weight",
    "norm1": "model.layers.{}.input_layernorm.weight",
    "norm2": "model.layers.{}.post_attention_layernorm.weight",
    "q": "model.layers.{}.self_attn.q_proj.weight",
    "k": "model.layers.{}.self_attn.k_proj.weight",
    "v": "model.layers.{}.self_attn.v_proj.weight",
    "o": "model.layers.{}.self_attn.o_proj.weight",
    "gate": "model.layers.{}.mlp.gate_proj.weight",
    "up": "model.layers.{}.mlp.up_proj.weight",
    "down": "model.layers.{}.mlp.down_proj.weight",
}
QWEN3_NAMES = {
    **LLAMA_NAMES,
    "q_norm": "model.layers.{}.self_attn.q_norm.weight",
    "k_norm": "model.layers.{}.self_attn.k_norm.weight",
}
LLADA_NAMES = {
    "table": "model.transformer.wte.weight",
    "norm": "model.transformer.ln_f.weight",
    "head": "model.transformer.ff_out.weight",
    "norm1": "model.transformer.blocks.{}.attn_norm.weight",
    "norm2": "model.transformer.blocks.{}.ff_norm.weight",
    "q": "model.transformer.blocks.{}.q_proj.weight",
    "k": "model.transformer.blocks.{}.k_proj.weight",
    "v": "model.transformer.blocks.{}.v_proj.weight",
    "o": "model.transformer.blocks.{}.attn_out.weight",
    "gate": "model.transformer.blocks.{}.ff_proj.weight",
    "up": "model.transformer.blocks.{}.up_proj.weight",
    "down": "model.transformer.blocks.{}.ff_out.weight",
}
# Qwen2.5's own tokens, from id 151643 on (Qwen/Qwen2.5-Coder-7B, tokenizer_config.json).
QWEN = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
    "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>",
    "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>",
]  # fmt: skip
QWEN_AT = 151643


@dataclass(frozen=True)
class Checkpoint:
    """One family's format. `after` are tokens added behind Qwen's own; `added` others by id."""

    name: str
    config: dict[str, object]
    names: dict[str, str] = field(default_factory=lambda: LLAMA_NAMES)
    bias: bool = False
    tied: bool = False
    theta: float = 10_000.0
    eps: float = 1e-6
    head_dim: int = HIDDEN // HEADS
    after: tuple[str, ...] = ()
    added: dict[str, int] = field(default_factory=dict)
    tokenizer_config: dict[str, object] = field(default_factory=dict)
    generation: dict[str, object] = field(default_factory=dict)
    parts: bool = False  # vocab.json and merges.txt instead of tokenizer.json
    folder: str = ""

    @property
    def vocab(self) -> int:
        return int(self.config.get("embedding_size") or self.config["vocab_size"])  # type: ignore[call-overload]

    @property
    def shape(self) -> dict[str, float]:
        return {
            "layers": LAYERS, "heads": HEADS, "kv": self.kv, "theta": self.theta, "eps": self.eps
        }  # fmt: skip

    @property
    def kv(self) -> int:
        said = self.config.get("num_key_value_heads", self.config.get("n_kv_heads"))
        return int(said)  # type: ignore[call-overload]

    def tokens(self) -> dict[str, int]:
        """Added tokens and their ids."""
        qwen = {t: QWEN_AT + i for i, t in enumerate([*QWEN, *self.after])} if self.after else {}
        return {**qwen, **self.added}

    def tensors(self) -> dict[str, Tensor]:
        """Random weights of the shapes that the config asks for, spread enough to be told apart."""
        generator = torch.Generator().manual_seed(sum(map(ord, self.name)))
        wide, narrow = HEADS * self.head_dim, self.kv * self.head_dim
        shapes = {
            "table": (self.vocab, HIDDEN), "norm": (HIDDEN,), "head": (self.vocab, HIDDEN),
            "norm1": (HIDDEN,), "norm2": (HIDDEN,), "q": (wide, HIDDEN), "k": (narrow, HIDDEN),
            "v": (narrow, HIDDEN), "o": (HIDDEN, wide), "gate": (MLP, HIDDEN), "up": (MLP, HIDDEN),
            "down": (HIDDEN, MLP), "q_norm": (self.head_dim,), "k_norm": (self.head_dim,),
        }  # fmt: skip
        found: dict[str, Tensor] = {}
        for key, name in self.names.items():
            if key == "head" and self.tied:
                continue
            for number in range(LAYERS if "{}" in name else 1):
                full = name.format(number)
                value = torch.randn(shapes[key], generator=generator)
                found[full] = 1 + 0.3 * value if "norm" in key else value * HIDDEN**-0.5
                if self.bias and key in "qkv":
                    found[full.removesuffix("weight") + "bias"] = value[:, 0].clone()
        return found

    def write(self, home: Path) -> Path:
        """Write the folder as the hub has it; returns it."""
        folder = home / (self.folder or self.name)
        folder.mkdir(parents=True)
        tensors = self.tensors()
        names = sorted(tensors)
        shards = {f"model-{i + 1:05}-of-00002.safetensors": names[i::2] for i in range(2)}
        for file, part in shards.items():
            save_file({n: tensors[n].contiguous() for n in part}, folder / file)
        index = {n: file for file, part in shards.items() for n in part}
        _json(folder / "model.safetensors.index.json", {"weight_map": index})
        _json(folder / "config.json", self.config)
        _json(folder / "generation_config.json", self.generation)
        self._write_tokenizer(folder)
        return folder

    def _write_tokenizer(self, folder: Path) -> None:
        tokens, said = self.tokens(), dict(self.tokenizer_config)
        start = min([i for i in tokens.values() if i > 300], default=300)
        low = 0 if min(tokens.values()) > 300 else max(i for i in tokens.values() if i < 300) + 1
        vocab = {c: low + i for i, c in enumerate(BYTES)}
        if self.parts:
            vocab |= {f"Ġfiller{i}": i for i in range(len(vocab), start)}
            _json(folder / "vocab.json", vocab)
            (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8", newline="\n")
            said["added_tokens_decoder"] = {
                str(i): {"content": t, "special": True} for t, i in tokens.items()
            }
        else:
            listed = [
                {"id": i, "content": t, "special": True, "single_word": False, "lstrip": False,
                 "rstrip": False, "normalized": False}
                for t, i in sorted(tokens.items(), key=lambda pair: pair[1])
            ]  # fmt: skip
            level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                     "use_regex": True}  # fmt: skip
            _json(folder / "tokenizer.json", {
                "version": "1.0", "truncation": None, "padding": None, "added_tokens": listed,
                "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
                "model": {"type": "BPE", "vocab": {**vocab, **tokens}, "merges": []},
            })  # fmt: skip
        _json(folder / "tokenizer_config.json", said)


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8", newline="\n")


def _qwen(kind: str, vocab: int = 152064, **more: object) -> dict[str, object]:
    return {
        "model_type": kind, "vocab_size": vocab, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV, "intermediate_size": MLP,
        "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0, "rope_scaling": None, "use_sliding_window": False,
        "tie_word_embeddings": False, **more,
    }  # fmt: skip


def _code(module: str, model: str) -> dict[str, object]:
    """What asks a loader to run the checkpoint's own Python."""
    return {
        "auto_map": {"AutoModel": f"modeling_{module}.{model}"},
        "architectures": [model],
    }  # fmt: skip


_DREAM = _qwen("Dream", mask_token_id=151666, use_mrope=False, **_code("dream", "DreamModel"))
_DREAM_TOKENS: dict[str, object] = {
    "tokenizer_class": "DreamTokenizer", "mask_token": "<|mask|>", "bos_token": "<|beginoftext|>",
    "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
}  # fmt: skip
_SEED = {"<[begin▁of▁sentence]>": 0, "<[PAD▁TOKEN]>": 1, "<[end▁of▁sentence]>": 2}
_MILLION = 1_000_000.0
_LLADA: dict[str, object] = {
    "model_type": "llada", "d_model": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": HEADS,
    "mlp_hidden_size": MLP, "embedding_size": 126464, "vocab_size": 126464, "rope_theta": 500_000.0,
    "rms_norm_eps": 1e-5, "max_sequence_length": 4096, "mask_token_id": 126336, "weight_tying": False,
    "include_bias": False, "include_qkv_bias": False, "activation_type": "silu", "block_type": "llama",
    "layer_norm_type": "rms", "attention_layer_norm": False, "bias_for_layer_norm": False, "rope": True,
    "alibi": False, "input_emb_norm": False, "scale_logits": False, "rope_full_precision": True,
    **_code("llada", "LLaDAModelLM"),
}  # fmt: skip

CHECKPOINTS = {
    c.name: c
    for c in (
        Checkpoint(
            "dream", _DREAM, bias=True, theta=_MILLION, parts=True,
            after=("<|beginoftext|>", "<|mask|>"), tokenizer_config=_DREAM_TOKENS,
        ),
        Checkpoint(
            "dreamon", _DREAM, bias=True, theta=_MILLION, parts=True,
            after=("<|beginoftext|>", "<|mask|>", "<|expand|>"), tokenizer_config=_DREAM_TOKENS,
            generation={"expand_token_id": 151667, "mask_token_id": 151666, "eos_token_id": 151643},
        ),
        Checkpoint(
            "diffucoder", _DREAM, bias=True, theta=_MILLION, parts=True,
            after=("<|beginoftext|>", "<|mask|>", "<|dlm_pad|>"), tokenizer_config=_DREAM_TOKENS,
        ),
        Checkpoint(
            "open-dcoder", _qwen("qwen2", 151936, tie_word_embeddings=True), bias=True, tied=True,
            theta=_MILLION, after=("<M>",), tokenizer_config={"mask_token": "<M>"},
        ),
        Checkpoint(
            "coda",
            {k: v for k, v in _qwen("CoDA", 151936, head_dim=4, mask_token_id=151669,
             **_code("coda", "CoDALanguageModel")).items() if k != "tie_word_embeddings"},
            names=QWEN3_NAMES, head_dim=4, theta=_MILLION,
            after=("<think>", "</think>", "<tool_response>", "</tool_response>", "<|mask|>"),
            tokenizer_config={"mask_token": "<|mask|>"},
        ),
        Checkpoint(
            "a2d", _qwen("a2d-qwen2", 151936, tie_word_embeddings=True), bias=True, theta=_MILLION,
            after=("<|mask|>",), tokenizer_config={"mask_token": "<|mask|>"},
            folder="Qwen2.5-Coder-0.5B-Instruct-diffusion-mdlm-v0.1",
        ),
        Checkpoint(
            "a2d-block", _qwen("a2d-qwen3", 151936, head_dim=8, tie_word_embeddings=True),
            names=QWEN3_NAMES, tied=True, head_dim=8, theta=_MILLION,
            after=("<|mask|>",), tokenizer_config={"mask_token": {"content": "<|mask|>"}},
            folder="Qwen3-0.6B-diffusion-bd3lm-v0.1",
        ),
        Checkpoint(
            "llada", _LLADA, names=LLADA_NAMES, theta=500_000.0, eps=1e-5,
            added={"<|startoftext|>": 126080, "<|endoftext|>": 126081, "<|mdm_mask|>": 126336,
                   "<|eot_id|>": 126348},
        ),
        Checkpoint(
            "illada",
            {**_qwen("illada", 155136, rope_theta=500_000.0, **_code("illada", "ILLaDAForCausalLM")),
             "tie_word_embeddings": True, "layer_norm_eps": None, "attention_bias": False},
            tied=True, theta=500_000.0, added={**_SEED, "<[MASK]>": 5},
            tokenizer_config={"bos_token": "<[begin▁of▁sentence]>"},
        ),
        Checkpoint(
            "stable-diffcoder",
            _qwen("llama", 155136, rope_theta=500_000.0,
                  **_code("stable_diffcoder", "StableDiffcoderForCausalLM")),
            theta=500_000.0,
            added={**_SEED, "<[MASK_TOKEN]>": 5, "<[fim-suffix]>": 8, "<[fim-prefix]>": 9,
                   "<[fim-middle]>": 10},
            tokenizer_config={"eos_token": "<[end▁of▁sentence]>"},
        ),
        Checkpoint(
            "sdar", _qwen("sdar", 151936, head_dim=8, block_size=4, **_code("sdar", "SDARForCausalLM")),
            names=QWEN3_NAMES, head_dim=8, theta=_MILLION,
            after=("<think>", "</think>", "<tool_response>", "</tool_response>", "<|MASK|>"),
            tokenizer_config={"mask_token": "<|MASK|>"},
        ),
        Checkpoint(
            "fast-dllm",
            _qwen("Fast_dLLM_Qwen", bd_size=32, tie_word_embeddings=True,
                  **_code("fast_dllm", "Fast_dLLM_QwenForCausalLM")),
            bias=True, tied=True, theta=_MILLION, after=("|<MASK>|",),
        ),
    )
}  # fmt: skip
Write = Callable[[str], Path]
