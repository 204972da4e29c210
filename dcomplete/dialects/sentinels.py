"""Prompts in which a client has marked prefix and suffix for some model family, read back.

A prompt is such a prompt if it begins with the family's first mark, or with other files marked in the
family's way and then the first mark, and the other marks follow. So text about marks, even a whole
marked prompt in a string, stays the text it is.

Where a mark occurs again inside the code, the prompt alone cannot tell which one the client wrote. The
last mark before the answer ends the suffix (clients write nothing behind it, or the beginning of the
answer); of several marks between prefix and suffix the one that leaves the longer prefix is taken,
because clients send more text before the gap than behind it.
"""

import re
from dataclasses import dataclass

from dcomplete.dialects.asked import File, Gap

BLANK_SUFFIXES = ("<|endoftext|>",)  # what Continue sends where nothing follows


@dataclass(frozen=True, slots=True)
class Marks:
    """How a family marks the parts of a prompt. `end` is "" where the second part runs to the end."""

    first: str
    between: str
    end: str
    suffix_first: bool = False

    def read(self, prompt: str) -> tuple[str, str] | None:
        """Prefix and suffix; None where the prompt is not marked like this."""
        if not prompt.startswith(self.first):
            return None
        stop = prompt.rfind(self.end) if self.end else len(prompt)
        find = prompt.find if self.suffix_first else prompt.rfind
        middle = find(self.between, len(self.first), max(stop, 0))
        if middle < 0:
            return None
        one = prompt[len(self.first) : middle]
        two = prompt[middle + len(self.between) : stop]
        begun = prompt[stop + len(self.end) :]  # of the answer
        return (two + begun, one) if self.suffix_first else (one + begun, two)


_BAR, _LOW = "\uff5c", "\u2581"  # DeepSeek's bar and sentencepiece's word border
# Qwen2.5-Coder's README; StarCoder (arXiv 2305.06161); DeepSeek-Coder's README; CodeLlama (arXiv
# 2308.12950); mistral-common for Codestral; GLM-4's card; Zed's `edit_prediction/src/fim.rs`.
FAMILIES: dict[str, Marks] = {
    "qwen": Marks("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    "qwen-suffix-first": Marks("<|fim_suffix|>", "<|fim_prefix|>", "<|fim_middle|>", True),
    "starcoder": Marks("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    "starcoder-suffix-first": Marks("<fim_suffix>", "<fim_prefix>", "<fim_middle>", True),
    "deepseek": Marks(
        f"<{_BAR}fim{_LOW}begin{_BAR}>",
        f"<{_BAR}fim{_LOW}hole{_BAR}>",
        f"<{_BAR}fim{_LOW}end{_BAR}>",
    ),
    "codellama": Marks("<PRE> ", " <SUF>", " <MID>"),
    "codellama-close": Marks("<PRE>", "<SUF>", "<MID>"),
    "codestral": Marks("[SUFFIX]", "[PREFIX]", "", True),
    "glm": Marks("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),
}

_START = re.compile(
    rf"\s*(?:<s>|<bos>|<\|begin_of_text\|>|<{_BAR}begin{_LOW}of{_LOW}sentence{_BAR}>)"
)
_FILE = r"<\|file_sep\|>|<\|file_separator\|>|<file_sep>|<filename>"
_HEADER = re.compile(rf"(?:<\|repo_name\|>|<repo_name>|<reponame>|{_FILE})")
_FILE_MARK = re.compile(_FILE)


def read_prompt(prompt: str) -> Gap | None:
    """The gap of a marked prompt; None where the text is not marked."""
    begun = _START.match(prompt)
    rest = prompt[begun.end() :] if begun else prompt
    if (found := _read_marked(rest)) is not None:
        return Gap(*found)
    if not _HEADER.match(rest):
        return None
    for marks in FAMILIES.values():
        place = rest.find(marks.first)
        if place > 0 and (found := marks.read(rest[place:])) is not None:
            return Gap(*found, files=_files(rest[:place]))
    return None


def gap_of(prompt: str, suffix: str, files: tuple[File, ...] = ()) -> Gap:
    """The gap of a prompt with its suffix; without one the marks in the prompt tell it."""
    if suffix in BLANK_SUFFIXES:
        suffix = ""
    marked = None if suffix else read_prompt(prompt)
    if marked is None:
        return Gap(prompt, suffix, files)
    return Gap(marked.prefix, marked.suffix, (*files, *marked.files))


def _read_marked(prompt: str) -> tuple[str, str] | None:
    for marks in FAMILIES.values():
        if (found := marks.read(prompt)) is not None:
            return found
    return None


def _files(header: str) -> tuple[File, ...]:
    """The files before a marked prompt. The last mark may name the file of the gap itself: no text."""
    parts = (part.partition("\n") for part in _FILE_MARK.split(header)[1:])
    return tuple(File(path.strip(), text) for path, _, text in parts if text.strip())
