"""Raw settings of an editor to `Settings`; a wrong value costs one sentence, never the rest."""

from collections.abc import Mapping
from dataclasses import fields

from dcomplete.errors import UserError
from dcomplete.settings import Settings, read_settings

SECTION = "dcomplete"
_EDITOR = {"editorInfo", "editorPluginInfo"}  # Copilot's initialization options
_OURS = {one.name for one in fields(Settings)}


def own_section(raw: object) -> object:
    """The settings proper: editors send them bare or under "dcomplete"."""
    if isinstance(raw, Mapping):
        if SECTION in raw:
            return raw[SECTION]
        return {key: value for key, value in raw.items() if key not in _EDITOR}
    return raw


def is_ours(raw: object) -> bool:
    """Whether any of our settings is in it; an editor may send those of other servers only."""
    section = own_section(raw)
    return isinstance(section, Mapping) and not _OURS.isdisjoint(section)


def merged(raw: object, base: Settings) -> tuple[Settings, str]:
    """Every setting that fits, over `base`; and a sentence about the first that does not, or ""."""
    section = own_section(raw)
    if not isinstance(section, Mapping):
        return _one(section, base)
    settings, wrong = base, ""
    for key, value in section.items():
        parts = [{key: value}]
        if isinstance(value, Mapping):
            parts = [{key: {inner: one}} for inner, one in value.items()]
        for part in parts:
            settings, sentence = _one(part, settings)
            wrong = wrong or sentence
    return settings, wrong


def _one(raw: object, base: Settings) -> tuple[Settings, str]:
    try:
        return read_settings(raw, base), ""
    except UserError as error:
        return base, str(error)
