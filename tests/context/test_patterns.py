"""A line of an ignore file hides what it hides from git, in the settings as well."""

import random
import time
from contextlib import suppress

import pytest

from dcomplete.context.ignoring import IGNORE_FILES, IgnoreFiles
from dcomplete.context.patterns import read, verdict
from dcomplete.context.privacy import Privacy
from tests.context.folders import write
from tests.context.git import home, ignored, init, needs_git

__all__ = ["home"]
NAMES = [
    "keep.py", "a.py", "7.py", "Z.py", "a", "b", "ab", "aab", "notes-a.txt", "notes-b.txt", "notes-z.txt",
    "foo/keep.py", "foo/a.py", "foo/bar/keep.py", "d/foo/keep.py", "axx/yy/b", "a b", "#a", "!a",
    "[a", "]", "-", "^", "foo/]/a.py", "d/b/b/a.py",
]  # fmt: skip
LISTS = [
    ["/foo/**", "!/foo/keep.py"], ["foo/**", "!keep.py"], ["/foo/", "!/foo/keep.py"], ["/**", "!/foo/"],
    ["/**", "!/foo/", "!keep.py"], ["**", "!a.py"], ["**/"], ["*/"], ["*", "!*/", "!keep.py"],
    ["**/foo"], ["**/foo/**"], ["d/**/a.py"], ["/*/*/b"], ["a**/b"], ["a**"], ["**b"], ["foo*/bar"],
    ["[[:alpha:]].py"], ["[[:upper:][:digit:]].py"], ["[![:digit:]].py"], ["[[:alpha:]-z].py"],
    ["[[:punct:]]"], ["[[:nothing:]].py", "[[:alpha:].py"], ["[:alpha:].py"], ["[[:digit:]"],
    ["notes-[z-a].txt"], ["notes-[z-ab].txt"], ["notes-[!z-a].txt"], ["[]a]"], ["[!]a]"], ["[a-]"],
    ["[\\]a]"], ["[a\\-c]"], ["[^-a]"], ["[a/b]"], ["foo[/]keep.py"], ["[ab"], ["\\[a"], ["a b "],
    ["a\\ b"], ["a "], ["a\\ "], ["#a"], ["\\#a"], ["!a"], ["\\!a"], ["\\"], ["a\\"], ["/"], ["//"], ["!"],
    ["/a"], ["a/"], ["foo/keep.py"], ["?"], ["??"], ["*a*b"], ["*.py", "!?eep.py"], ["a.py\r"],
    ["a.py\u2028b"],
]  # fmt: skip


@needs_git
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("lines", LISTS, ids=" ".join)
def test_a_list_hides_what_it_hides_from_git(workspace, lines):
    init(workspace)
    files = {write(workspace / name) for name in NAMES if not (workspace / name).exists()}
    plain, named = Privacy([workspace]), Privacy([workspace], lines)
    in_settings = {file for file in files if not named.usable(file.as_uri())}
    write(workspace / ".gitignore", "\n".join(lines) + "\n")
    in_file = {file for file in files if not plain.usable(file.as_uri())}
    assert in_file == in_settings == ignored(workspace, files)


PIECES = [
    "a", "b", "ab", "1", "*", "**", "?", "a*", "*b", "*a*", "[ab]", "[!a]", "[b-a]", "[]a]", "[a-]",
    "[[:alpha:]]", "[[:digit:]b]", "[", "]", "\\a", "!", "-", ".", "[[:foo:]]", "[a/b]", "[\\]-]",
]  # fmt: skip


@needs_git
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("seed", range(3))
def test_lists_that_nobody_would_write_hide_what_they_hide_from_git(workspace, seed):
    rng = random.Random(seed)
    init(workspace)

    def line() -> str:
        parts = ["".join(rng.choices(PIECES, k=rng.choice((1, 1, 2)))) for _ in range(3)]
        text = "/".join(parts[: rng.choice((1, 1, 2, 3))])
        return (
            rng.choice(("", "", "!")) + rng.choice(("", "/")) + text + rng.choice(("", "/", "/**"))
        )

    for number in range(60):
        folder = workspace / str(number)
        write(folder / ".gitignore", "\n".join(line() for _ in range(rng.choice((1, 2, 3)))))
        for _ in range(20):
            names = rng.choices(
                ["a", "b", "ab", "aab", "1", "-", "]", "!"], k=rng.choice((1, 2, 3))
            )
            with suppress(OSError):  # a file is where a folder would be, or a folder where the file
                write(folder.joinpath(*names))
    files = {path for path in workspace.glob("[0-9]*/**/*") if path.is_file()}
    ours = IgnoreFiles()
    found = {file for file in files if ours.ignored(file, workspace, IGNORE_FILES)}
    assert found == ignored(workspace, files) and 0 < len(found) < len(files)


@pytest.mark.parametrize(
    ("line", "path"),
    [("*a" * 40 + "b", "a" * 250), ("**/a*a*/" * 20 + "b", "aaaa/" * 100 + "c")],
    ids=["stars", "folders"],
)
def test_no_line_takes_long(line, path):
    start = time.monotonic()
    assert verdict(read([line], any_case=False), path, folder=False) is None
    assert time.monotonic() - start < 5
