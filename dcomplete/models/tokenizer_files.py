"""A folder's tokenizer as the contents of a ``tokenizer.json``, also where only its parts are there.

Several published models (Dream, DreamOn, DiffuCoder) carry a tokenizer in Python with ``vocab.json``
and ``merges.txt``. It is Qwen2's byte-level BPE, which the `tokenizers` library can express.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dcomplete.errors import ModelError

# How Qwen2 cuts text to words before the merges (Qwen/Qwen2.5-Coder, tokenizer.json).
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def read_tokenizer_json(folder: Path, tokenizer_config: Mapping[str, Any]) -> str:
    """The folder's ``tokenizer.json``, or one made from its parts; raises ModelError."""
    try:
        whole = (folder / "tokenizer.json").read_text(encoding="utf-8")
        json.loads(whole)
    except FileNotFoundError:
        return _from_parts(folder, tokenizer_config)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'tokenizer.json'} is damaged ({error}).") from None
    return whole


def _from_parts(folder: Path, tokenizer_config: Mapping[str, Any]) -> str:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    vocab, merges = folder / "vocab.json", folder / "merges.txt"
    if not (vocab.is_file() and merges.is_file()):
        raise ModelError(
            f"{folder} is no Hugging Face model folder: {folder / 'tokenizer.json'} is missing."
        )
    try:
        tokenizer = Tokenizer(models.BPE.from_file(str(vocab), str(merges)))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise ModelError(f"The tokenizer in {folder} is damaged ({error}).") from None
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    _add_tokens(tokenizer, _added(folder, tokenizer_config), folder)
    return str(tokenizer.to_str())


def _added(folder: Path, tokenizer_config: Mapping[str, Any]) -> dict[int, tuple[str, bool]]:
    """Added tokens by id: their text and whether they are special."""
    listed = tokenizer_config.get("added_tokens_decoder")
    try:
        if listed:
            return {int(i): (t["content"], bool(t.get("special"))) for i, t in listed.items()}
        raw = json.loads((folder / "added_tokens.json").read_text(encoding="utf-8"))
        return {int(i): (text, True) for text, i in raw.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The added tokens in {folder} are damaged ({error}).") from None


def _add_tokens(tokenizer: Any, added: Mapping[int, tuple[str, bool]], folder: Path) -> None:
    from tokenizers import AddedToken

    for index, (text, special) in sorted(added.items()):
        tokenizer.add_tokens([AddedToken(text, normalized=False, special=special)])
        if tokenizer.token_to_id(text) != index:
            raise ModelError(
                f"The tokenizer in {folder} has holes: {text!r} should be token {index}, "
                f"but would be {tokenizer.token_to_id(text)}."
            )
