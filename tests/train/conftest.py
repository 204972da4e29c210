"""Tests of training share a tokenizer that was trained on made-up programs."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from dcomplete.engine.tokens import Tokens
from tests.train.programs import program


@pytest.fixture(scope="session")
def tokenizer_json() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, initial_alphabet=alphabet, special_tokens=["<a>"], show_progress=False
    )
    tokenizer.train_from_iterator([program(n) for n in range(20)], trainer)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def tokens(tokenizer_json: str) -> Tokens:
    return Tokens.from_json(tokenizer_json)
