"""Which licences let a file be trained on: by name, expression and text, and as registries state them."""

from email.message import Message

import pytest

from dcomplete.train.licences import of_debian, of_metadata, of_npm, of_text, permissive

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Someone
License: Expat

Files: src/fast.rs
License: Apache-2.0 or MIT

Files: debian/*
License: GPL-2+

License: Expat
 Permission is hereby granted, free of charge
"""


@pytest.mark.parametrize(
    ("licence", "good"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("(MIT OR GPL-2.0-only)", True),
        ("The MIT License (MIT)", True),
        ("Apache License, Version 2.0", True),
        ("ISC License (ISCL)", True),
        ("Python Software Foundation License", True),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", True),
        ("(MIT OR GPL-3.0) AND (ISC OR GPL-2.0)", True),
        ("GPL-2.0 OR (MIT AND (ISC OR LGPL-2.1))", True),
        ("GPL-2+ or MIT, and BSD-3-clause", True),  # Debian's: the comma closes the choice
        ("MPL-2.0 AND MIT", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("GPL-3.0-only AND (MIT OR BSD-3-Clause)", False),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("(MIT/Apache-2.0) AND GPL-3.0", False),
        ("GPL-3.0-only AND (MIT OR (ISC))", False),
        ("GPL-3.0-only AND (MIT OR ISC", False),
        ("MIT or Apache-2.0, and GPL-2+", False),
        ("Apache-2.0 WITH Commons-Clause", False),
        ("BUSL-1.1", False),
        ("LGPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("Other/Proprietary License", False),
        ("Free for non-commercial use", False),
        ("", False),
    ],
)
def test_licences(licence: str, good: bool) -> None:
    assert permissive(licence) is good


MIT = "Copyright\n\nPermission is hereby granted, free of charge, to any\nperson obtaining"
APACHE = "   Apache License\n  Version 2.0, January 2004\n  http://www.apache.org/licenses/\n"
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3"
FUNCTIONAL = (
    "# Functional Source License, Version 1.1, ALv2 Future License\n\n## Abbreviation\n\nFSL-1.1-ALv2\n\n"
    "We hereby irrevocably grant you an additional license to use the Software under the\n"
    "Apache License, Version 2.0 that is effective on the second anniversary.\n"
)
BUSINESS = (
    "Business Source License 1.1\n\nParameters\n\nLicensor: Somebody\nChange Date: 2029-01-01\n"
    "Change License: Apache License, Version 2.0\n"
)
CLAUSE = (
    '"Commons Clause" License Condition v1.0\n\nThe Software is provided to you by the Licensor.\n'
)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        (MIT, "MIT"),
        (APACHE, "Apache-2.0"),
        ('Licensed under the Apache License, Version 2.0 (the "License");', "Apache-2.0"),
        (GPL, None),
        (FUNCTIONAL, None),
        (BUSINESS, None),
        (CLAUSE + APACHE, None),
        (APACHE + "x " * 5000 + CLAUSE, None),
        ("You may not share this.\n" + "x " * 1000 + MIT, None),
    ],
)
def test_licence_texts(text: str, licence: str | None) -> None:
    assert of_text(text) == licence


@pytest.mark.parametrize(
    ("texts", "licence"),
    [
        ((MIT,), "MIT"),
        ((MIT, APACHE, MIT), "MIT AND Apache-2.0"),
        ((MIT, "\n"), "MIT"),
        ((MIT, GPL), None),
        ((APACHE, FUNCTIONAL), None),
        ((MIT, "Ask us first."), None),
        ((), None),
    ],
)
def test_every_licence_file_has_to_be_a_permissive_one(
    texts: tuple[str, ...], licence: str | None
) -> None:
    assert of_metadata(Message(), texts) == licence
    if texts:
        meta = Message()
        meta["License"] = texts[0] + "x " * 100  # as some write the whole text there
        assert of_metadata(meta, texts[1:]) == licence


@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ('{"license": "MIT"}', "MIT"),
        ('{"license": "(MIT OR GPL-3.0)"}', "(MIT OR GPL-3.0)"),
        ('{"license": "(MIT OR ISC) AND (GPL-3.0 OR LGPL-3.0)"}', None),
        ('{"license": {"type": "BSD-3-Clause"}}', "BSD-3-Clause"),
        ('{"license": "SEE LICENSE IN x"}', None),
        ('{"license": ["MIT"]}', None),
        ("{}", None),
        ("[]", None),
        ("no json", None),
    ],
)
def test_licences_of_npm(stated: str, licence: str | None) -> None:
    assert of_npm(stated) == licence


def test_licences_of_debian() -> None:
    assert of_debian(COPYRIGHT) == "(Apache-2.0 or MIT) AND MIT"
    assert of_debian(COPYRIGHT.replace("License: Apache-2.0 or MIT", "License: LGPL-2.1+")) is None
    mixed = COPYRIGHT.replace("Files: debian/*", "Files: debian/*\n src/closed.rs")
    assert of_debian(mixed) is None, "what is told of packaging and source alike"
    assert of_debian("This package is under the MIT licence, see upstream.") is None
