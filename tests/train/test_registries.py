"""Packages of npm and Debian: fetched by their own programs, unpacked and never run, licences read."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from dcomplete.errors import UserError
from dcomplete.train.download import PINNED_HELD_OUT, fetch, pinned
from dcomplete.train.registries import DEBIAN, NPM, PYPI, REGISTRIES, Registry
from dcomplete.train.sources import find
from tests.train.programs import program
from tests.train.test_licences import COPYRIGHT


def npm_archive(folder: Path, licence: object = "MIT") -> Path:
    said = json.dumps({"name": "@some/thing", "version": "1.2.3", "license": licence})
    texts = {
        "package/package.json": said,
        "package/src/index.ts": program(1),
        "package/dist/index.js": program(1),
        "../outside.js": program(2),
        "/absolute.js": program(2),
    }
    path = folder / "some-thing-1.2.3.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, BytesIO(text.encode()))
        link = tarfile.TarInfo("package/src/link.ts")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return path


def debian_archive(folder: Path, told: str = COPYRIGHT) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb builds the package that is read, and is not here")
    tree = folder / "tree"
    control = "Package: librust-thing-dev\nVersion: 1.0-2\nArchitecture: all\n"
    control += "Maintainer: Someone <someone@example.org>\nDescription: a thing\n"
    texts = {
        "DEBIAN/control": control,
        "usr/share/doc/librust-thing-dev/copyright": told,
        "usr/share/cargo/registry/thing/src/lib.rs": program(3),
    }
    for name, text in texts.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, "utf-8")
    (tree / "usr/share/cargo/registry/thing/src/host.rs").symlink_to("/etc/hostname")
    (tree / "DEBIAN").chmod(0o755)  # demanded by dpkg-deb, and not what every umask gives
    path = folder / "librust-thing-dev_1.0-2_all.deb"
    subprocess.run(["dpkg-deb", "--build", tree, path], check=True, capture_output=True)
    return path


def bringing(registry: Registry, archive: Path) -> Registry:
    """The registry, but its program copies an archive that is here into the working folder."""
    copy = f"import shutil; shutil.copy({str(archive)!r}, '.')"
    return replace(registry, fetch=(sys.executable, "-c", copy))


def test_an_npm_package_is_unpacked_and_read(tmp_path: Path) -> None:
    place = tmp_path / "downloads"
    bringing(NPM, npm_archive(tmp_path)).get(["npm:@some/thing@1.2.3"], place)
    (source,) = find([place], stdlib=False, installed=False).sources
    assert (source.name, source.version, source.licence) == ("npm:@some/thing", "1.2.3", "MIT")
    names = [name for name, _ in source.files]
    assert names == ["package/dist/index.js", "package/src/index.ts"]
    assert not list(tmp_path.rglob("outside.js")) and not list(tmp_path.rglob("absolute.js"))


def test_a_debian_package_is_unpacked_and_read(tmp_path: Path) -> None:
    place = tmp_path / "downloads"
    bringing(DEBIAN, debian_archive(tmp_path)).get(["deb:librust-thing-dev=1.0-2"], place)
    (source,) = find([place], stdlib=False, installed=False).sources
    assert (source.name, source.version) == ("deb:librust-thing-dev", "1.0-2")
    assert source.licence == "(Apache-2.0 or MIT) AND MIT"
    assert [name.rpartition("/")[2] for name, _ in source.files] == ["lib.rs"], "no link's file"


def test_packages_without_a_permissive_licence_are_left_out(tmp_path: Path) -> None:
    place = tmp_path / "downloads"
    bringing(NPM, npm_archive(tmp_path, "GPL-3.0-only")).get(["npm:@some/thing@1.2.3"], place)
    found = find([place], stdlib=False, installed=False)
    assert not found.sources and found.skipped == {"npm:@some/thing": "licence"}


def test_what_is_there_is_not_unpacked_again_and_half_of_one_never_stays(tmp_path: Path) -> None:
    place, archive = tmp_path / "downloads", npm_archive(tmp_path)
    bringing(NPM, archive).get(["npm:@some/thing@1.2.3"], place)
    whole = place / "npm-some-thing-1.2.3"
    (whole / "mark").touch()
    bringing(NPM, archive).get(["npm:@some/thing@1.2.3"], place)
    assert (whole / "mark").exists()
    shutil.rmtree(whole)
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(UserError, match="is damaged; delete it"):
        bringing(NPM, archive).get(["npm:@some/thing@1.2.3"], place)
    assert [each.name for each in place.iterdir()] == ["npm"]
    (place / ".npm-some-thing-1.2.3").mkdir()  # as a killed process leaves it
    bringing(NPM, npm_archive(tmp_path)).get(["npm:@some/thing@1.2.3"], place)
    assert (whole / "package").is_dir()


def wheel(folder: Path, name: str, version: str) -> Path:
    """An archive as PyPI has them, of one program that its version is told from."""
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    meta = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", program(1))
        archive.writestr(f"{info}/METADATA", meta)
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n")
    return path


def test_of_several_versions_the_one_is_read_that_is_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "downloads"
    for version in ("1.0", "2.0", "1.0"):
        archive = wheel(tmp_path, "thing", version)
        places = bringing(PYPI, archive).get([f"thing=={version}"], place)
        (source,) = find(stdlib=False, installed=False, unpacked=places).sources
        assert (source.name, source.version) == ("thing", version)


def test_what_was_fetched_before_and_is_not_asked_for_stays_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "downloads"
    bringing(PYPI, wheel(tmp_path, "old", "1.0")).get(["old==1.0"], place)
    (place / "wheels" / "broken-1.0-py3-none-any.whl").write_bytes(b"half of it")
    (place / "by-hand").mkdir()
    (place / "by-hand" / "code.py").write_text(program(2), "utf-8")
    fetching = (bringing(PYPI, wheel(tmp_path, "new", "1.0")), bringing(NPM, npm_archive(tmp_path)))
    monkeypatch.setattr("dcomplete.train.download.REGISTRIES", fetching)
    places = fetch(["npm:@some/thing@1.2.3", "new==1.0"], place)
    found = find(stdlib=False, installed=False, unpacked=places)
    assert [source.name for source in found.sources] == ["new", "npm:@some/thing"]


def test_a_package_that_does_not_say_what_it_is_stays_out(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0").mkdir()
    (tmp_path / "thing-1.0" / "code.py").write_text(program(2), "utf-8")
    found = find(stdlib=False, installed=False, unpacked=[tmp_path / "thing-1.0"])
    assert not found.sources and found.skipped == {"thing-1.0": "no metadata"}


@pytest.mark.parametrize(
    ("registry", "pin", "archive"),
    [
        (PYPI, "absl-py==2.5.1", "absl_py-2.5.1-py3-none-any.whl"),
        (PYPI, "Zope.Event==6", "zope_event-6.0-py3-none-any.whl"),
        (PYPI, "certifi==2026.01.04", "certifi-2026.1.4-py3-none-any.whl"),
        (NPM, "npm:@tanstack/query-core@5.108.4", "tanstack-query-core-5.108.4.tgz"),
        (DEBIAN, "deb:ruby-rack=1:2.2-1+deb12u1", "ruby-rack_1%3a2.2-1+deb12u1_all.deb"),
        (DEBIAN, "deb:ruby-rack=2.2-1", "ruby-rack_2.2-1_all.deb"),
    ],
)
def test_a_pin_is_found_by_what_its_archive_is_called(
    registry: Registry, pin: str, archive: str, tmp_path: Path
) -> None:
    others = (
        "absl_py-2.5.10-py3-none-any.whl",
        "ruby-rack_2.2.1_all.deb",
        "query-core-5.108.4.tgz",
    )
    (tmp_path / registry.name).mkdir()
    for name in (*others, archive):
        (tmp_path / registry.name / name).touch()
    registry = replace(
        registry, fetch=(sys.executable, "-c", ""), unpack=lambda archive, place: None
    )
    assert registry.get([pin], tmp_path) == [tmp_path / registry.stem(archive)]
    with pytest.raises(UserError, match="write its version as the archive's name does"):
        registry.get([f"{pin}9"], tmp_path)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.name)
def test_what_cannot_be_had_is_one_sentence(registry: Registry, tmp_path: Path) -> None:
    missing = replace(registry, fetch=("no-such-program-here",))
    with pytest.raises(UserError, match=f"there is no {registry.program} here"):
        missing.get(["x==1"], tmp_path)


NOT_THERE = (
    "npm error code E404\nnpm error 404 Not Found - GET https://x/y\nnpm error 404\nnpm error A log"
)
NO_VERSION = (
    "npm error code ETARGET\nnpm error notarget No matching version found for x@9.\nnpm error A log"
)
NO_NETWORK = (
    "npm error code E\nnpm error FetchError: request to x failed, reason: y\nnpm error     at Z"
)


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("W: first\nE: Version '9' for 'x' was not found", "Version '9' for 'x' was not found"),
        (NOT_THERE, "Not Found - GET https://x/y"),
        (NO_VERSION, "No matching version found for x@9"),
        (NO_NETWORK, "FetchError: request to x failed, reason: y"),
        ("ERROR: Could not\nERROR: No distribution for x\n", "ERROR: No distribution for x"),
        ("", "npm failed"),
    ],
)  # fmt: skip
def test_why_a_package_cannot_be_had_is_told(stderr: str, reason: str, tmp_path: Path) -> None:
    says = f"import sys; sys.stderr.write({stderr!r}); sys.exit(100)"
    failing = replace(NPM, fetch=(sys.executable, "-c", says))
    with pytest.raises(UserError) as error:
        failing.get(["npm:x@1"], tmp_path)
    assert str(error.value) == (
        f"The packages cannot be downloaded ({reason}); go on without --download."
    )


@pytest.mark.parametrize(
    ("pin", "registry"),
    [
        ("attrs==26.1.0", PYPI),
        ("npm:zod@4.6.7", NPM),
        ("npm:@tanstack/query-core@5.108.4", NPM),
        ("deb:librust-regex-dev=1.7.1-1", DEBIAN),
        ("deb:ruby-sinatra=3.0.5-3+deb12u1", DEBIAN),
        ("npm:zod", None),
        ("npm:zod@4; rm", None),
        ("npm:../x@1", None),
        ("deb:--option=1", None),
        ("zod@4.6.7", None),
    ],
)
def test_each_pin_belongs_to_one_registry(pin: str, registry: Registry | None) -> None:
    assert [r for r in REGISTRIES if r.owns(pin)] == ([registry] if registry else [])


def test_the_lists_that_come_along_are_pins_and_keep_apart_what_is_held_out() -> None:
    folder = Path(__file__).parents[2] / "dcomplete" / "train"
    training = pinned(folder / "packages-languages.txt")
    held = pinned(folder / "packages-languages-held-out.txt")
    assert len(set(training)) == len(training) > 600 and len(held) > 20

    def named(pins: tuple[str, ...]) -> set[str]:
        return {pin.rpartition("@")[0] or pin.partition("=")[0] for pin in pins}

    assert not named(training) & named(held)
    python = [pinned(folder / f"packages{which}.txt") for which in ("", "-further", "-more")]
    names = [canonical for pins in python for canonical in map(_canonical, pins)]
    assert len(names) == len(set(names)) > 1600, "no package is in two lists"
    assert not set(names) & {_canonical(pin) for pin in PINNED_HELD_OUT}


def _canonical(pin: str) -> str:
    return re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower()


@pytest.mark.parametrize("text", ["", "attrs", "attrs>=26\n", "attrs==26.1.0 rm -rf\n"])
def test_a_list_of_packages_names_a_version_for_each(text: str, tmp_path: Path) -> None:
    path = tmp_path / "packages.txt"
    path.write_text("attrs==26.1.0\nmore-itertools==11.2.1\n", "utf-8")
    assert pinned(path) == ("attrs==26.1.0", "more-itertools==11.2.1")
    path.write_text(text, "utf-8")
    with pytest.raises(UserError, match="is no list of pinned packages"):
        pinned(path)
    with pytest.raises(UserError, match="cannot be read"):
        pinned(tmp_path / "missing.txt")
