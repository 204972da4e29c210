"""What git ignores is not read."""

import sys
from unicodedata import normalize

import pytest

from dcomplete.context.privacy import Privacy
from tests.context.folders import write
from tests.context.git import home, ignored, init, needs_git

__all__ = ["home"]


def test_nested_ignore_files_count_and_the_deeper_one_decides(workspace):
    write(workspace / ".gitignore", "*.gen.py\nbuild/\n")
    write(workspace / "sub" / ".gitignore", "!kept.gen.py\nlocal.py\n/deep/only.py\n")
    privacy = Privacy([workspace])
    expected = {
        "a.gen.py": False, "sub/a.gen.py": False, "sub/kept.gen.py": True, "kept.gen.py": False,
        "sub/local.py": False, "local.py": True, "sub/deep/local.py": False,
        "sub/deep/only.py": False, "sub/only.py": True,
        "build/out.py": False, "sub/build/out.py": False, "sub/main.py": True,
    }  # fmt: skip
    for name, fine in expected.items():
        path = write(workspace / name)
        assert (privacy.read(path, 1000) is not None) == fine, name
        assert privacy.usable(path.as_uri()) == fine, name


def test_a_folder_that_comes_back_does_not_bring_its_files_back(workspace):
    # as `git check-ignore` says
    write(workspace / ".gitignore", "*.py\n")
    write(workspace / "sub" / ".gitignore", "!deep/\n!kept.py\n")
    privacy = Privacy([workspace])
    assert privacy.read(write(workspace / "sub" / "deep" / "a.py"), 1000) is None
    assert privacy.read(write(workspace / "sub" / "deep" / "kept.py"), 1000) is not None


def test_a_byte_order_mark_is_no_part_of_the_first_pattern(workspace):
    (workspace / ".gitignore").write_bytes(b"\xef\xbb\xbfa.py\n")
    assert Privacy([workspace]).read(write(workspace / "a.py"), 1000) is None


@pytest.mark.parametrize("worktree", [False, True])
def test_the_repositorys_own_list_counts_least(workspace, tmp_path, worktree):
    git = workspace / ".git"
    if worktree:
        git = tmp_path / "main" / ".git"
        write(git / "worktrees" / "work" / "commondir", "../..\n")
        write(workspace / ".git", f"gitdir: {git}/worktrees/work\n")
    write(git / "info" / "exclude", "/sub/a.py\nb.py\n")
    write(workspace / ".gitignore", "!b.py\n")
    privacy = Privacy([workspace])
    assert privacy.read(write(workspace / "sub" / "a.py"), 1000) is None
    assert privacy.read(write(workspace / "a.py"), 1000) is not None
    assert privacy.read(write(workspace / "b.py"), 1000) is not None


@pytest.mark.parametrize("named", [None, ".gitconfig", ".config/git/config", "work/.git/config"])
def test_the_persons_own_list_counts(workspace, tmp_path, monkeypatch, named):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    (workspace / ".git").mkdir()
    if named is None:
        write(tmp_path / ".config" / "git" / "ignore", "a.py\n")
    else:
        write(
            tmp_path / named,
            "[user]\n\tname = x\n[Core]\n\tautocrlf = input\n\texcludesFile = ~/mine\n",
        )
        write(tmp_path / "mine", "a.py\n")
    privacy = Privacy([workspace])
    assert privacy.read(write(workspace / "sub" / "a.py"), 1000) is None
    assert privacy.read(write(workspace / "b.py"), 1000) is not None


def test_nothing_below_an_ignored_folder_comes_back(workspace):
    write(workspace / ".gitignore", "build/\n")
    write(workspace / "build" / ".gitignore", "!*\n")
    assert Privacy([workspace]).read(write(workspace / "build" / "a.py"), 1000) is None


def test_one_ignore_file_does_not_undo_the_other(workspace):
    write(workspace / ".dcompleteignore", "!a.py\n")
    write(workspace / ".gitignore", "a.py\n")
    assert Privacy([workspace]).read(write(workspace / "a.py"), 1000) is None


def test_ignore_files_above_the_workspace_count_up_to_the_repository(workspace, tmp_path):
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".gitignore", "work/sub/a.py\n")
    privacy = Privacy([workspace])
    assert privacy.read(write(workspace / "sub" / "a.py"), 1000) is None
    assert privacy.read(write(workspace / "sub" / "b.py"), 1000) is not None


def test_a_changed_ignore_file_counts_at_once(workspace):
    path = write(workspace / "a.py")
    privacy = Privacy([workspace])
    assert privacy.read(path, 1000) is not None
    write(workspace / ".gitignore", "a.py\n")
    assert privacy.read(path, 1000) is None


def test_odd_ignore_files_still_ignore(workspace):
    (workspace / ".gitignore").write_bytes(b"\xff\xfe\n!\n\na.py\r\nb\\\n")
    assert Privacy([workspace]).read(write(workspace / "a.py"), 1000) is None


@pytest.mark.parametrize("said", ["true", "false", None])
def test_case_counts_where_git_says_so(workspace, said):
    (workspace / ".git").mkdir()
    if said is not None:
        write(workspace / ".git" / "config", f"[core]\n\tignorecase = {said}\n")
    write(workspace / ".gitignore", "Build/\n*.GEN.py\n")
    privacy = Privacy([workspace])
    hidden = said == "true" or (said is None and sys.platform in ("win32", "darwin"))
    for name in ("build/a.py", "a.gen.py", "sub/B.Gen.py"):
        assert (privacy.read(write(workspace / name), 1000) is None) == hidden, name


@pytest.mark.parametrize("listed", ["NFC", "NFD"])
def test_an_accent_is_the_same_typed_or_read_from_an_old_disk_of_macos(workspace, listed):
    write(workspace / ".gitignore", normalize(listed, "/privé/\n"))
    for form in ("NFC", "NFD"):
        path = write(workspace / normalize(form, "privé") / f"{form}.py")
        assert Privacy([workspace]).read(path, 1000) is None
        assert not Privacy([workspace]).usable(path.as_uri())


def test_an_accent_in_the_settings_is_the_same_in_both_forms(workspace):
    path = write(workspace / normalize("NFD", "é.py"))
    assert Privacy([workspace], [normalize("NFC", "é.py")]).read(path, 1000) is None


def test_a_list_in_the_home_of_nobody_is_passed_over(workspace):
    write(workspace / ".git" / "config", "[core]\n\texcludesFile = ~nobody-of-that-name/ignore\n")
    assert Privacy([workspace]).read(write(workspace / "a.py"), 1000) is not None


@needs_git
@pytest.mark.parametrize("in_another", [False, True])
def test_a_repository_below_the_workspace_has_lists_of_its_own(workspace, home, in_another):
    inner = workspace / "sub"
    for folder in (inner, workspace) if in_another else (inner,):
        init(folder)
    write(home / ".config" / "git" / "ignore", "persons.py\n/deep/mine.py\n")
    write(inner / ".git" / "info" / "exclude", "own.py\n/deep/only.py\nback.py\n")
    write(inner / ".gitignore", "!back.py\n")
    names = ["a.py", "own.py", "persons.py", "back.py", "only.py", "mine.py"]
    files = {
        write(inner / f"{place}{name}") for name in names for place in ("", "deep/", "x/deep/")
    }
    privacy = Privacy([workspace])
    hidden = {file for file in files if privacy.read(file, 1000) is None}
    assert hidden == ignored(inner, files) and 0 < len(hidden) < len(files)
    assert privacy.read(write(workspace / "own.py"), 1000) is not None, "it is the other one's list"


def test_a_range_that_runs_backwards_spoils_no_list(workspace):
    write(workspace / ".gitignore", "notes-[z-a].txt\nb.py\n")
    privacy = Privacy([workspace], ["notes-[z-a].md", "c.py"])
    for name, fine in {"a.py": True, "b.py": False, "c.py": False, "notes-b.txt": True}.items():
        assert (privacy.read(write(workspace / name), 1000) is not None) == fine, name
