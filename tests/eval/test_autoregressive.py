"""An autoregressive model of one and the same weights, through llama.cpp and through transformers."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from dcomplete.errors import UserError
from dcomplete_eval.contestants import contestant
from dcomplete_eval.types import Answer, Task
from tests.conftest import byte_tokenizer_json

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # transformers' own
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed"),
]
TASK = Task("t", "b", "g", "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", "a + b")
MARKS = {
    "<|0|>": "<|fim_suffix|>",
    "<|1|>": "<|fim_prefix|>",
    "<|2|>": "<|fim_middle|>",
    "<|4|>": "<|endoftext|>",
}
CPP_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def tokenizer_json(fim: bool) -> str:
    text = byte_tokenizer_json()
    for old, new in MARKS.items():
        if fim or new == "<|endoftext|>":
            text = text.replace(old, new)
    return text


def make_model(fim: bool):
    """A tiny random Qwen2 that writes printable ASCII, a line end now and then."""
    import transformers

    torch.manual_seed(3)
    vocabulary = json.loads(tokenizer_json(fim))["model"]["vocab"]
    config = transformers.Qwen2Config(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, intermediate_size=48, max_position_embeddings=2048,
        rope_theta=10_000.0, rms_norm_eps=1e-5, tie_word_embeddings=False, eos_token_id=4,
        bos_token_id=None,
    )  # fmt: skip
    model = transformers.Qwen2ForCausalLM(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        weight.normal_(1.0 if "norm" in name else 0.0, 0.3)
    printable = [i for word, i in vocabulary.items() if word.isascii() and len(word) == 1]
    readable = {*printable, vocabulary["\u010a"]}  # and the line end
    for row in range(len(vocabulary)):
        if row not in readable:
            model.lm_head.weight[row] = 0.0
    return model, vocabulary


def save_folder(folder: Path, fim: bool = True) -> Path:
    """As Hugging Face keeps it."""
    import transformers
    from tokenizers import Tokenizer

    model, _ = make_model(fim)
    model.save_pretrained(folder)
    tokenizer = Tokenizer.from_str(tokenizer_json(fim))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>"
    ).save_pretrained(folder)
    return folder


def save_gguf(path: Path, fim: bool = True) -> Path:
    """As llama.cpp keeps it."""
    import gguf

    model, vocabulary = make_model(fim)
    config = model.config
    out = gguf.GGUFWriter(str(path), "qwen2")
    out.add_context_length(2048)
    out.add_embedding_length(config.hidden_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_rope_freq_base(10_000.0)
    out.add_layer_norm_rms_eps(1e-5)
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    special = [word.startswith("<|") and word.endswith("|>") for word in words]
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(words)
    kinds = gguf.TokenType
    out.add_token_types([kinds.CONTROL if s else kinds.NORMAL for s in special])
    merges = json.loads(tokenizer_json(fim))["model"]["merges"]
    out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    out.add_eos_token_id(4)
    out.add_add_bos_token(False)
    for name, weight in model.state_dict().items():
        for theirs, ours in CPP_NAMES.items():
            name = name.replace(theirs, ours)  # noqa: PLW2901
        out.add_tensor(name.replace("model.layers", "blk"), weight.numpy().astype(np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def answers(spec: str, *tasks: Task) -> tuple[str, dict[str, object], list[Answer]]:
    who = contestant(spec)
    try:
        return who.name, who.settings(), [who.answer(task) for task in tasks]
    finally:
        who.close()


def test_infilling_through_both_is_the_same(tmp_path):
    file, folder = save_gguf(tmp_path / "tiny.gguf"), save_folder(tmp_path / "tiny")
    other = Task("t", "b", "g", "x = 1\n", "y = 2\n", "z = 3\n")
    name, said, cpp = answers(f"ar:{file},threads=1,max_tokens=12", TASK, other)
    assert said["fim"] is True and said["rule"] == "" and "llama.cpp" in str(said["through"])
    assert name == "ar:tiny:max_tokens=12:threads=1"
    _, said, hugging = answers(f"ar:{folder},threads=1,max_tokens=12", TASK, other)
    assert said["fim"] is True and "transformers" in str(said["through"])
    assert [a.text for a in cpp] == [a.text for a in hugging]
    assert all(a.text and not a.error for a in cpp) and cpp[0].text != cpp[1].text
    assert [a.tokens for a in cpp] == [a.steps for a in hugging]
    assert hugging[0].true_tokens == 5  # "a", " ", "+", " ", "b"


def test_threads_are_asked_for_as_long_as_the_contestant_is_there(tmp_path):
    before = torch.get_num_threads()
    who = contestant(f"ar:{save_folder(tmp_path / 'tiny')},threads={before + 1}")
    assert who.settings()["threads"] == torch.get_num_threads() == before + 1
    who.close()
    assert torch.get_num_threads() == before


def test_a_perfect_answer_is_as_long_as_the_truth(tmp_path):
    """What ends an answer is a token that was computed, and none of the answer."""
    who = contestant(f"ar:{save_folder(tmp_path / 'tiny')},threads=1,max_tokens=12")
    tokens = who._tokenizer(TASK.gold, add_special_tokens=False)["input_ids"]
    end = who._tokenizer.convert_tokens_to_ids(who._tokenizer.eos_token)
    who._generate = lambda asked, enough: torch.cat(
        [asked["input_ids"], torch.tensor([[*tokens, end]])], 1
    )
    answer = who.answer(TASK)
    assert answer.text == TASK.gold and answer.tokens == answer.true_tokens == len(tokens)
    assert answer.forwards == len(tokens) + 1


@pytest.mark.parametrize(
    ("file", "option"), [(True, "device=cpu"), (True, "dtype=float16"), (False, "reuse=no")]
)
def test_options_of_the_other_program_are_refused(tmp_path, file, option):
    (tmp_path / "x.gguf").touch()
    with pytest.raises(UserError, match=f"has no option '{option.partition('=')[0]}'"):
        contestant(f"ar:{tmp_path / 'x.gguf' if file else tmp_path},{option}")


@pytest.mark.parametrize(("fim", "option"), [(True, ",fim=no"), (False, "")])
def test_a_prefix_continued_through_both_is_the_same(tmp_path, fim, option):
    file, folder = save_gguf(tmp_path / "tiny.gguf", fim), save_folder(tmp_path / "tiny", fim)
    gaps = [Task("t", "b", "g", f"x = {i}\n", "y = 2\n", "z = 3\n" * (1 + i % 3)) for i in range(4)]
    name, said, cpp = answers(f"ar:{file},threads=1,max_tokens=60{option}", TASK, *gaps)
    assert said["fim"] is False and str(said["rule"]).startswith("prefix only")
    assert name.startswith("ar:tiny:prefix")
    _, said, hugging = answers(f"ar:{folder},threads=1,max_tokens=60{option}", TASK, *gaps)
    assert said["fim"] is False
    assert [a.text for a in cpp] == [a.text for a in hugging]
    for task, answer in zip(gaps, cpp[1:], strict=True):
        assert answer.text.count("\n") <= task.gold.count("\n") and not answer.error
    assert "\n" not in cpp[0].text


@pytest.mark.parametrize("kind", ["http+openai", "http+llama"])
def test_a_real_server_of_llama_cpp_over_http(tmp_path, kind):
    import xllamacpp

    file = save_gguf(tmp_path / "tiny.gguf")
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.verbosity = str(file), 1024, 1, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    url, more = server.listening_address, "max_tokens=12"
    tasks = [TASK, Task("t", "b", "g", "x = 1\n", "y = 2\n", "z = 3\n")]
    for option, same in (("template=qwen", ""), ("fim=no", ",fim=no")):
        _, _, over_http = answers(f"{kind}:{url},model=tiny,{option},{more}", *tasks)
        _, _, here = answers(f"ar:{file},threads=1,{more}{same}", *tasks)
        assert [a.text for a in over_http] == [a.text for a in here]
        assert not any(a.error for a in over_http) and all(a.tokens for a in over_http)
    del server


def test_what_cannot_be_loaded_is_one_sentence(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, but not really")
    with pytest.raises(UserError, match=r"llama\.cpp cannot load .*bad\.gguf"):
        contestant(f"ar:{tmp_path / 'bad.gguf'}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text("{}", encoding="utf-8", newline="\n")
    with pytest.raises(UserError, match="transformers cannot load") as error:
        contestant(f"ar:{tmp_path / 'folder'}")
    assert "\n" not in str(error.value)
