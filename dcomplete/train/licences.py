"""Which licences let a file be trained on: permissive ones, recognised from metadata."""

import json
import re
from email.message import Message

_NAMES = re.compile(
    r"^(mit|mit-0|x11|bsd\w*|bsd-[\w.-]+|0bsd|apache|apache-?2(\.0)?|apache-[\w.-]+|psf(-2\.0)?|psfl|"
    r"python-2\.0(\.1)?|cnri-python|isc|iscl|isc iscl|bsl-1\.0|boost|zlib|"
    r"zlib-acknowledgement|unlicense|cc0(-1\.0)?|hpnd|mit-cmu|new bsd|modified bsd|simplified bsd|"
    r"python foundation|historical permission notice and disclaimer)$"
)
_NOISE = re.compile(
    r"\b(the|license|licence|licensed|version|v?2\.0|software|clause|expat)\b|[,()]"
)
_COPYLEFT = re.compile(
    r"\b[al]?gpl|gnu |general public|copyleft|mozilla|\bmpl\b|\bepl\b|eupl|\bcddl\b|cc.?by|"
    r"proprietary|commercial|all rights reserved",
    re.I,
)
_TEXTS = (
    ("MIT", "Permission is hereby granted, free of charge, to any person"),
    ("BSD", "Redistribution and use in source and binary forms"),
    ("Apache-2.0", "Apache License"),
    ("ISC", "Permission to use, copy, modify, and/or distribute this software"),
    ("Unlicense", "This is free and unencumbered software released into the public domain"),
)
_LONG = 120  # characters: a longer License field holds the licence's text, not its name


def of_metadata(meta: Message, texts: tuple[str, ...] = ()) -> str | None:
    """The permissive licence that a package states, or None where it states none or another one.

    `texts` are the contents of its licence files, read only where the metadata name no licence.
    """
    expression = str(meta.get("License-Expression") or "").strip()
    if expression:
        return expression if permissive(expression) else None
    classifiers = [str(c) for c in meta.get_all("Classifier") or []]
    named = [c.split(" :: ")[-1] for c in classifiers if c.startswith("License ::")]
    named = [n for n in named if not n.lower().endswith("approved")]
    if named:
        return " AND ".join(named) if all(map(permissive, named)) else None
    field = str(meta.get("License") or "").strip()
    if field and len(field) <= _LONG:
        return field if permissive(field) else None
    return next(filter(None, map(of_text, (field, *texts))), None)


def of_npm(package_json: str) -> str | None:
    """The permissive licence that an npm package states, or None."""
    try:
        stated = json.loads(package_json).get("license")
    except (ValueError, AttributeError, RecursionError):
        return None
    name = stated.get("type") if isinstance(stated, dict) else stated
    if not isinstance(name, str) or not permissive(name.strip("()")):
        return None
    return name


def of_debian(copyright_file: str) -> str | None:
    """The permissive licences of a Debian package's files, or None where one of them is another.

    The file names them by stanzas (Debian's machine-readable format 1.0); one in free text names none.
    """
    names = set()
    for stanza in re.split(r"\n[ \t]*\n", copyright_file):
        where = re.search(r"^Files:((?:.|\n[ \t])*)", stanza, re.M)
        named = re.search(r"^License:\s*(\S.*)$", stanza, re.M)
        packaging = where and all(name.startswith("debian/") for name in where[1].split())
        if where and named and not packaging:
            names.add(re.sub(r"\bexpat\b", "MIT", named[1].strip(), flags=re.I))
    if not names or not all(map(permissive, names)):
        return None
    choices = re.compile(r"\s+or\s+", re.I)
    return " AND ".join(f"({n})" if names - {n} and choices.search(n) else n for n in sorted(names))


def permissive(expression: str) -> bool:
    """Whether an SPDX expression or a licence's usual name lets anyone reuse the code."""
    choices = re.split(r"\s+or\s+|/", expression.strip().lower())
    return any(all(map(_known, re.split(r"\s+and\s+|;", choice))) for choice in choices)


def of_text(text: str) -> str | None:
    """The name of the permissive licence whose text this is."""
    if _COPYLEFT.search(text[:400]) and "BSD" not in text[:400]:
        return None
    flat = " ".join(text.split())
    return next((name for name, phrase in _TEXTS if phrase in flat), None)


def _known(name: str) -> bool:
    if _COPYLEFT.search(name):
        return False
    name = re.sub(r"\s+with\s+[\w.-]+", "", name)  # SPDX exceptions only add permissions
    plain = " ".join(dict.fromkeys(_NOISE.sub(" ", name).split())).strip(" -")
    return bool(_NAMES.match(plain) or _NAMES.match(name.strip(" ()")))
