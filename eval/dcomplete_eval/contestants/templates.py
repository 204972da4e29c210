"""How model families are asked to fill in the middle, as their authors publish it.

Sources: Qwen2.5-Coder's README; StarCoder (arXiv 2305.06161); DeepSeek-Coder's README; CodeLlama
(arXiv 2308.12950); mistral-common for Codestral; CodeGemma's and GLM-4's cards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dcomplete_eval.contestants.around import Around


@dataclass(frozen=True, slots=True)
class Template:
    """The marks around prefix and suffix; `ends` are marks with which the answer ends."""

    prefix: str
    suffix: str
    middle: str
    ends: tuple[str, ...] = ()
    suffix_first: bool = False

    def render(self, around: Around) -> str:
        before, after = f"{self.prefix}{around.before}", f"{self.suffix}{around.suffix}"
        return (after + before if self.suffix_first else before + after) + self.middle

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks without the spaces that some families put around them."""
        return tuple(m.strip() for m in (self.prefix, self.suffix, self.middle) if m)


_PIPED = Template(
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
    ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|file_separator|>", "<|repo_name|>"),
)  # fmt: skip
_DEEPSEEK = Template(  # a full-width bar and sentencepiece's word border
    "<\uff5cfim\u2581begin\uff5c>",
    "<\uff5cfim\u2581hole\uff5c>",
    "<\uff5cfim\u2581end\uff5c>",
    ("<\uff5cend\u2581of\u2581sentence\uff5c>",),
)
TEMPLATES: Mapping[str, Template] = {
    "qwen": _PIPED,
    "codegemma": _PIPED,
    "starcoder": Template(
        "<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<|endoftext|>", "<file_sep>")
    ),
    "granite": Template("<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<|endoftext|>",)),
    "deepseek": _DEEPSEEK,
    "codellama": Template("<PRE> ", " <SUF>", " <MID>", ("<EOT>",)),
    "codestral": Template("[PREFIX]", "[SUFFIX]", "", ("</s>",), suffix_first=True),
    "glm": Template("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>", ("<|endoftext|>",)),
}


def known_by(has: Callable[[str], bool]) -> Template | None:
    """The first template whose marks are all tokens of a vocabulary; None where the model knows none."""
    for template in TEMPLATES.values():
        # CodeLlama's marks are written with sentencepiece's word border in its vocabulary.
        if all(has(mark) or has(f"\u2581{mark}") for mark in template.marks):
            return template
    return None


def cut_at(text: str, ends: tuple[str, ...]) -> str:
    """`text` up to the first of `ends`."""
    found = [place for end in ends if (place := text.find(end)) >= 0]
    return text[: min(found)] if found else text
