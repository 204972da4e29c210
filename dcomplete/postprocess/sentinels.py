"""Special tokens that a model writes out as text."""

import re
from dataclasses import replace

from dcomplete.postprocess.proposal import Proposal, Surroundings

_NAMES = (
    "fim_prefix|fim_suffix|fim_middle|fim_pad|fim_begin|fim_hole|fim_end|code_prefix|code_suffix|"
    "code_middle|repo_name|file_sep|file_separator|filename|cursor|mask|pad|eos|bos|eot_id|"
    "endoftext|end_of_text|begin_of_text|im_start|im_end|user|assistant|system|completion"
)
_BARS = rf"<[|\uff5c](?:{_NAMES})[|\uff5c]>|<\uff5c[\w\u2581 ]{{3,40}}\uff5c>"
_TAGS = (
    r"</?(?:fim_prefix|fim_suffix|fim_middle|fim_pad|repo_name|reponame|file_sep|gh_stars)>"
    r"|</?COMPLETION>| ?<(?:EOT|SUF|MID)>|\[(?:SUFFIX|PREFIX|MIDDLE)\]|</s>(?=\s*$)"
)
SENTINEL = re.compile(f"{_BARS}|{_TAGS}")
_MARKUP = {"html", "xml", "markdown", "svelte", "vue", "php", "javascriptreact", "typescriptreact"}


def cut_sentinels(proposal: Proposal, around: Surroundings) -> Proposal:
    """Cut at the text of a special token, unless the document itself speaks of it.

    Zed's clean_fim_completion; continue#2953, #867 (``<EOT>``), #1552 (``</fim_middle>``), #1420 (a
    leading ``<COMPLETION>``, which alone is taken off). U+FFFD is what is left of a cut character.
    """
    text, place = proposal.text, 0
    while match := SENTINEL.search(text, place):
        found = match.group()
        known = found in around.prefix or found in around.suffix
        if known or (found == "</s>" and around.language in _MARKUP):
            place = match.end()
        elif text[: match.start()].strip():
            text = text[: match.start()]
        else:
            text, place = text[match.end() :], 0
    return replace(proposal, text=text.rstrip("\ufffd"))
