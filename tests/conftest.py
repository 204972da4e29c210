"""Tiny networks and tokenizers: the whole engine on a CPU, in seconds, without weights."""

import gc
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from dcomplete.engine.engine import LocalEngine
from dcomplete.engine.tokens import Tokens
from dcomplete.models.checkpoint import Manifest, save
from dcomplete.models.config import NetConfig
from dcomplete.models.decoder import Decoder
from dcomplete.models.family import Family
from dcomplete.models.regimes import BlockCausal, ContextCanvas, Full, Regime
from dcomplete.models.specials import Specials

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job hands that on, and
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs under test must hear Ctrl-C
torch.set_num_threads(
    1
)  # tiny networks: threads that wait for each other cost more than they bring
SPECIALS = Specials(mask=3, suffix=0, prefix=1, middle=2, fill=4, bos=5, reserved=(6, 7))
TINY = NetConfig(
    vocab=300, hidden=32, layers=2, heads=4, kv_heads=2, head_dim=8, mlp=64,
    rope_theta=10_000.0, norm_eps=1e-5, tied=True,
)  # fmt: skip
REGIMES: dict[str, Regime] = {
    "suffix-first": ContextCanvas(SPECIALS),
    "prefix-first": ContextCanvas(SPECIALS, suffix_first=False),
    "full": Full(SPECIALS),
    "full-shifted": Full(SPECIALS, shift=True),
    "block-causal": BlockCausal(SPECIALS, size=4),
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays with one worker: one that takes long must not be the last to be begun."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """The engine process collects garbage at every load and rest: not what tests were collected from."""
    gc.collect()
    gc.freeze()


MERGES = (
    ("r", "e"),
    ("t", "u"),
    ("re", "tu"),
    ("retu", "r"),
    ("retur", "n"),
    ("i", "n"),
    ("Ġ", "x"),
)


def byte_tokenizer_json(merges: Sequence[tuple[str, str]] = MERGES) -> str:
    """Eight special tokens, then one token per byte, then some common pairs."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {f"<|{n}|>": n for n in range(8)} | {c: 8 + i for i, c in enumerate(alphabet)}
    for a, b in merges:
        vocab.setdefault(a + b, len(vocab))
    tokenizer = Tokenizer(models.BPE(vocab, list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([f"<|{n}|>" for n in range(8)])
    return str(tokenizer.to_str())


@pytest.fixture
def tokens() -> Tokens:
    return Tokens.from_json(byte_tokenizer_json())


def make_family(regime: str = "suffix-first", seed: int = 0, config: NetConfig = TINY) -> Family:
    """A random network whose predictions differ enough to be told apart."""
    torch.manual_seed(seed)
    net = Decoder(config).eval().requires_grad_(False)
    for parameter in net.parameters():
        if parameter.dim() == 2:
            parameter.mul_(3.0)
    head = torch.nn.Linear(config.hidden, 21).requires_grad_(False)
    return Family("tiny", net, REGIMES[regime], SPECIALS, length_head=head, vocabulary=271)


@pytest.fixture
def make_engine(tokens: Tokens) -> Callable[..., LocalEngine]:
    def make(regime: str = "suffix-first", seed: int = 0) -> LocalEngine:
        return LocalEngine(make_family(regime, seed), tokens)

    return make


@pytest.fixture
def hf_tiny() -> Callable[[str], tuple[dict[str, object], object]]:
    """A tiny random Hugging Face model of a family: its config as JSON, and the model."""

    def make(kind: str, tied: bool = False) -> tuple[dict[str, object], object]:
        import transformers

        classes = {
            "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
            "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
            "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
        }
        config_class, model_class = classes[kind]
        torch.manual_seed(1)
        config = config_class(
            vocab_size=300, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, intermediate_size=48, max_position_embeddings=256,
            rope_theta=50_000.0, tie_word_embeddings=tied, attn_implementation="eager",
        )  # fmt: skip
        model = model_class(config).eval()
        for name, parameter in model.named_parameters():
            if "norm" in name or "bias" in name:  # a wrong norm or bias must show
                torch.nn.init.normal_(parameter, 1.0, 0.3)
        return json.loads(config.to_json_string(use_diff=False)), model

    return make


@pytest.fixture(autouse=True)
def no_engine_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests neither find nor start the user's own engine process, and write no log of the user's."""
    folder = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("DCOMPLETE_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("DCOMPLETE_LOG_DIR", str(folder))


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user data folder of its own."""
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(home))
    return home / "dcomplete" if os.name == "nt" else home  # Windows has the maker's name as well


@pytest.fixture
def tiny_model(data_home: Path) -> Path:
    """A tiny model installed in the user's data folder under the name "tiny"."""
    return install_tiny(data_home)


def install_tiny(home: Path, name: str = "tiny", **changes: object) -> Path:
    """Write a tiny random model folder where `store` looks for it."""
    folder = home / "dcomplete" / "models" / name
    family = make_family()
    manifest = Manifest(TINY, SPECIALS, **{"policy": "threshold", **changes})  # type: ignore[arg-type]
    state = {
        **family.net.state_dict(),
        **{f"length_head.{n}": t for n, t in family.length_head.state_dict().items()},
    }
    save(folder, manifest, state, byte_tokenizer_json())
    return folder
