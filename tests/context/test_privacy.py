"""Secrets, ignored files and what lies outside the workspace are never read."""

import os
from pathlib import Path, PureWindowsPath

import pytest

from dcomplete.context.addresses import is_abroad, path_of, windows_name
from dcomplete.context.privacy import Privacy, is_secret
from tests.context.folders import write
from tests.links import link

SECRETS = [
    ".env", ".env.local", "prod.env", ".ENV", "server.pem", "tls.key", "id_rsa", "id_rsa.pub",
    "id_ed25519", "store.p12", "store.pfx", "vault.kdbx", "credentials", "credentials.json",
    "secrets.yml", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".dev.vars",
    "prod.tfvars", "terraform.tfstate", "terraform.tfstate.backup", ".aws/config", ".ssh/config",
    ".gnupg/options", ".kube/config", ".git/config", ".docker/config.json", ".env_prod", ".envrc",
    ".secrets.toml", ".secrets", "secrets/prod.yml", "db-secret.yaml", "client_secret_1.json",
    "serviceAccountKey.json", "clientsecrets.json", "my.cnf",
    "application_default_credentials.json", "a-firebase-adminsdk-b.json", "aws_credentials",
    "kubeconfig.yaml", ".config/gcloud/a.db", ".config/gh/hosts.yml", ".m2/settings.xml",
    ".yarnrc.yml", ".terraformrc", ".vault_pass", ".databrickscfg", "local.settings.json",
    "wp-config.php", ".bash_history", ".psql_history", "server.key.bak", "server.pem.bak",
    ".netrc.bak", ".npmrc~", "deploy_rsa", "aws_credentials.csv", "app.secrets.json",
]  # fmt: skip
FINE = [
    "main.py",
    "environment.py",
    "keys.py",
    "env/main.py",
    "test_secrets.py",
    "key.rs",
    ".gitignore",
    ".docker/Dockerfile",
    ".envoy.yaml",
    "aws_credentials.py",
    "secrets/store.go",
    "kubeconfig.go",
    "settings.xml",
    "hosts.yml",
]
PROGRAMS = [
    "CredentialsProvider.tsx",
    "credentials_controller.rb",
    "secret.go",
    "secrets.py",
    "a.asc",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_neither_read_nor_used_nor_completed_in(workspace, name):
    path = write(workspace / name)
    privacy = Privacy([workspace])
    assert is_secret(path)
    assert privacy.read(path, 1000) is None
    assert not privacy.usable(path.as_uri())
    assert "secrets" in str(privacy.hidden(path.as_uri()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_is_called_like_a_secret_is_completed_in_but_shown_to_nobody(
    workspace, name
):
    path = write(workspace / name)
    privacy = Privacy([workspace])
    assert privacy.hidden(path.as_uri()) is None
    assert privacy.hidden(f"untitled:{name}") is None
    assert privacy.read(path, 1000) is None
    assert not privacy.usable(path.as_uri())
    assert not privacy.usable(f"untitled:{name}")


@pytest.mark.parametrize("name", FINE)
def test_an_ordinary_file_is_read_and_completed_in(workspace, name):
    path = write(workspace / name)
    privacy = Privacy([workspace])
    assert privacy.read(path, 1000) == "x = 1\n"
    assert privacy.usable(path.as_uri())
    assert privacy.hidden(path.as_uri()) is None


def test_a_symlink_to_a_secret_is_a_secret(workspace):
    write(workspace / ".env", "TOKEN=1")
    path = link(workspace / "settings.py", workspace / ".env")
    privacy = Privacy([workspace])
    assert privacy.read(path, 1000) is None
    assert not privacy.usable(path.as_uri())
    assert privacy.hidden(path.as_uri()) is not None


def test_a_secretly_named_symlink_to_an_ordinary_file_stays_a_secret(workspace):
    path = link(workspace / ".env", write(workspace / "plain.py"))
    assert Privacy([workspace]).read(path, 1000) is None


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_symlink_does_not_lead_out_of_the_workspace(workspace, tmp_path, as_folder):
    outside = write(tmp_path / "outside" / "code.py")
    path = link(workspace / "link", outside.parent if as_folder else outside, as_folder)
    path = path / "code.py" if as_folder else path
    privacy = Privacy([workspace])
    assert path.read_text("utf-8") == "x = 1\n"
    assert privacy.read(path, 1000) is None
    assert not privacy.usable(path.as_uri())


def test_dots_do_not_lead_out_of_the_workspace(workspace, tmp_path):
    write(tmp_path / "outside.py")
    privacy = Privacy([workspace])
    assert privacy.read(workspace / ".." / "outside.py", 1000) is None
    assert not privacy.usable(f"{workspace.as_uri()}/../outside.py")


def test_a_workspace_folder_behind_a_symlink_is_the_workspace(workspace, tmp_path):
    write(workspace / "main.py")
    there = link(tmp_path / "link", workspace, is_folder=True)
    for folder, other in ((there, workspace), (workspace, there)):
        privacy = Privacy([folder])
        assert privacy.read(other / "main.py", 1000) == "x = 1\n"
        assert privacy.usable((other / "main.py").as_uri())
        assert privacy.relative((other / "main.py").as_uri()) == "main.py"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_read_and_does_not_block(workspace):
    os.mkfifo(workspace / "pipe.py")
    assert Privacy([workspace]).read(workspace / "pipe.py", 1000) is None


def test_a_folder_named_like_a_file_is_not_read(workspace):
    (workspace / "module.py").mkdir()
    assert Privacy([workspace]).read(workspace / "module.py", 1000) is None


def test_large_and_binary_and_undecodable_files_are_not_read(workspace):
    privacy = Privacy([workspace])
    assert privacy.read(write(workspace / "large.py", "x" * 11), 10) is None
    assert privacy.read(write(workspace / "fits.py", "x" * 10), 10) == "x" * 10
    for data in (b"a\0b", b"\xff\xfe"):
        (workspace / "data.py").write_bytes(data)
        assert privacy.read(workspace / "data.py", 1000) is None


def test_a_git_ignored_file_that_is_open_may_be_completed_in_but_a_dcomplete_ignored_may_not(
    workspace,
):
    write(workspace / ".gitignore", "ours.py\n")
    write(workspace / "sub" / ".dcompleteignore", "theirs.py\n")
    privacy = Privacy([workspace], ["/third/*"])
    ours, theirs = write(workspace / "ours.py"), write(workspace / "sub" / "theirs.py")
    third = write(workspace / "third" / "a.py")
    assert privacy.hidden(ours.as_uri()) is None
    assert not privacy.usable(ours.as_uri())
    for path in (theirs, third):
        assert "ignored" in str(privacy.hidden(path.as_uri()))
        assert not privacy.usable(path.as_uri())
        assert privacy.read(path, 1000) is None


def test_a_symlink_to_an_ignored_file_is_ignored(workspace):
    write(workspace / ".dcompleteignore", "/sub/\n")
    path = link(workspace / "link.py", write(workspace / "sub" / "a.py"))
    privacy = Privacy([workspace])
    assert privacy.read(path, 1000) is None
    assert privacy.hidden(path.as_uri()) is not None


def test_without_a_workspace_open_documents_are_fine_but_nothing_is_read(tmp_path):
    path = write(tmp_path / "a.py")
    privacy = Privacy()
    assert privacy.usable(path.as_uri())
    assert privacy.read(path, 1000) is None
    write(tmp_path / ".dcompleteignore", "a.py\n")
    assert privacy.hidden(path.as_uri()) is not None


@pytest.mark.parametrize(
    ("uri", "hidden", "usable"),
    [
        ("untitled:Untitled-1", False, True),
        ("untitled:.env", True, False),
        ("git:/folder/.env?ref", True, False),
        ("output:log", False, False),
        ("vscode-notebook-cell:/folder/.env#cell", True, False),
        ("file:///folder/%00.py", False, False),
        ("", False, False),
        ("file://[", False, False),
        ("file:///folder/%2Eenv", True, False),
    ],
)
def test_documents_that_are_no_files(uri, hidden, usable):
    privacy = Privacy()
    assert (privacy.hidden(uri) is not None) == hidden
    assert privacy.usable(uri) == usable


def test_escapes_in_an_address_are_resolved():
    assert path_of("file:///a%20b/%C3%A9.py") == Path("/a b/é.py")


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("", "/c:/Users/me/a.py", "c:/Users/me/a.py"),  # VS Code escapes the colon
        ("", "/C:", "C:"),
        ("localhost", "/C:/a.py", "C:/a.py"),
        ("server", "/share/a.py", "//server/share/a.py"),
        ("", "/folder/a.py", "/folder/a.py"),
        ("", "/c:a.py", "/c:a.py"),
    ],
)
def test_an_address_as_windows_names_the_file(host, path, name):
    assert windows_name(host, path) == name


@pytest.mark.skipif(os.name != "nt", reason="drives")
@pytest.mark.parametrize("drive", ["c%3A", "C%3A", "C:"])
def test_every_way_to_write_a_drive_is_the_same_file(workspace, drive):
    path = write(workspace / ".env")
    uri = f"file:///{drive}{path.as_uri().removeprefix('file:///C:')}"
    assert path_of(uri) == path
    assert Privacy([workspace]).hidden(uri) is not None
    assert path_of("file:///c:/a:b.py") is not None, "no name at all, but no error either"


def test_a_share_that_a_source_file_names_is_not_even_asked_about():
    folders = (PureWindowsPath("C:/work"), PureWindowsPath("//Server/Share/work"))
    for name in (
        "//evil/share/a.h",
        "\\\\evil\\share\\a.h",
        "\\\\.\\pipe\\a",
        "//server/other/a.h",
    ):
        assert is_abroad(folders[0] / name, folders), name
    for name in ("a.h", "../a.h", "D:/a.h", "//server/share/work/a.h"):
        assert not is_abroad(folders[0] / name, folders), name


def test_names_in_a_setting_are_compared_as_the_system_compares_them(workspace, monkeypatch):
    path = write(workspace / "Third" / "A.py")
    monkeypatch.setattr("dcomplete.context.privacy.ANY_CASE", False)
    assert Privacy([workspace], ["/third/*"]).hidden(path.as_uri()) is None
    monkeypatch.setattr("dcomplete.context.privacy.ANY_CASE", True)
    assert Privacy([workspace], ["/third/*"]).hidden(path.as_uri()) is not None


def test_a_path_that_no_file_can_have_is_passed_over(workspace):
    uri = "file:///" + "a/" * 3000 + "b.py"
    assert Privacy().hidden(uri) is None
    assert Privacy([workspace]).allowed(workspace / ("a" * 300)) is None
