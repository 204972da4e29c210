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
_INNERMOST = re.compile(r"\(([^()]*)\)")
_OPERATOR = re.compile(r"\b(?:or|and)\b|[/;]")
_OPEN = re.compile(
    r"(?:^|\b(?:or|and)\b|[/;(])\s*$"
)  # behind it an operand begins, no name goes on
_NOISE = re.compile(
    r"\b(the|license|licence|licensed|version|v?2\.0|software|clause|expat)\b|[,()]"
)
_COPYLEFT = re.compile(
    r"\b[al]?gpl|gnu |general public|copyleft|mozilla|\bmpl\b|\bepl\b|eupl|\bcddl\b|cc.?by|"
    r"proprietary|commercial|all rights reserved",
    re.I,
)
_SOLD = re.compile(  # the source may be read; many of these become Apache's one day and say so
    r"(business|functional|fair)[ -](source|core)|sustainable[ -]use|server[ -]side public|elastic licen|"
    r"commons[ -]clause|polyform|community licen",
    re.I,
)
_HEAD = 1000  # characters of a licence's text that say which one it is
_TEXTS = (
    ("MIT", "Permission is hereby granted, free of charge, to any person"),
    ("BSD", "Redistribution and use in source and binary forms"),
    ("Apache-2.0", "Apache License Version 2.0, January 2004"),
    ("Apache-2.0", "Licensed under the Apache License, Version 2.0"),
    ("ISC", "Permission to use, copy, modify, and/or distribute this software"),
    ("Unlicense", "This is free and unencumbered software released into the public domain"),
)
_LONG = 120  # characters: a longer License field holds the licence's text, not its name


def of_metadata(meta: Message, texts: tuple[str, ...] = ()) -> str | None:
    """The permissive licence that a package states, or None where it states none or another one.

    `texts` are the contents of its licence files, read only where the metadata name no licence: each has
    to be a permissive one.
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
    told = [of_text(text) for text in (field, *texts) if text.strip()]
    return " AND ".join(dict.fromkeys(map(str, told))) if told and all(told) else None


def of_npm(package_json: str) -> str | None:
    """The permissive licence that an npm package states, or None."""
    try:
        stated = json.loads(package_json).get("license")
    except (ValueError, AttributeError, RecursionError):
        return None
    name = stated.get("type") if isinstance(stated, dict) else stated
    return name if isinstance(name, str) and permissive(name) else None


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
    flat = expression.strip().lower()
    while (inner := _INNERMOST.search(flat)) is not None:
        before, behind = flat[: inner.start()], flat[inner.end() :]
        said = inner[1]  # what a name is short for, as in `the mit license (mit)`
        if _OPERATOR.search(said) or _OPEN.search(before):
            said = "mit" if permissive(said) else "gpl"
        flat = f"{before} {said} {behind}"
    if "(" in flat or ")" in flat:
        return False
    parts = re.split(r",\s*and\s", flat)  # Debian's: a comma before it holds the choice together
    if len(parts) > 1:
        return all(map(permissive, parts))
    choices = re.split(r"\s+or\s+|/", flat)
    return any(all(map(_known, re.split(r"\s+and\s+|;", choice))) for choice in choices)


def of_text(text: str) -> str | None:
    """The name of the permissive licence whose text this is."""
    if _COPYLEFT.search(text[:400]) and "BSD" not in text[:400]:
        return None
    flat = " ".join(text.split())
    head = flat[:_HEAD]
    return None if _SOLD.search(flat) else next((n for n, phrase in _TEXTS if phrase in head), None)


def _known(name: str) -> bool:
    if _COPYLEFT.search(name) or _SOLD.search(name):
        return False
    name = re.sub(r"\s+with\s+[\w.-]+", "", name)  # SPDX exceptions only add permissions
    plain = " ".join(dict.fromkeys(_NOISE.sub(" ", name).split())).strip(" -")
    return bool(_NAMES.match(plain) or _NAMES.match(name.strip(" ()")))
