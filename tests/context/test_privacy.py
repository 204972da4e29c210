"""Secrets, ignored files and what lies outside the workspace are never read."""

import os
from pathlib import Path

import pytest

from dcomplete.context.privacy import Privacy, is_secret, path_of
from tests.context.folders import write

SECRETS = [
    ".env", ".env.local", "prod.env", ".ENV", "server.pem", "tls.key", "id_rsa", "id_rsa.pub",
    "id_ed25519", "store.p12", "store.pfx", "vault.kdbx", "credentials", "credentials.json",
    "secrets.yml", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".dev.vars",
    "prod.tfvars", "terraform.tfstate", "terraform.tfstate.backup", ".aws/config", ".ssh/config",
    ".gnupg/options", ".kube/config", ".git/config", ".docker/config.json", ".env_prod", ".envrc",
    ".secrets.toml", ".secrets", "secrets/prod.yml", "db-secret.yaml", "client_secret_1.json",
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
    link = workspace / "settings.py"
    link.symlink_to(workspace / ".env")
    privacy = Privacy([workspace])
    assert privacy.read(link, 1000) is None
    assert not privacy.usable(link.as_uri())
    assert privacy.hidden(link.as_uri()) is not None


def test_a_secretly_named_symlink_to_an_ordinary_file_stays_a_secret(workspace):
    link = workspace / ".env"
    link.symlink_to(write(workspace / "plain.py"))
    assert Privacy([workspace]).read(link, 1000) is None


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_symlink_does_not_lead_out_of_the_workspace(workspace, tmp_path, as_folder):
    outside = write(tmp_path / "outside" / "code.py")
    link = workspace / "link"
    link.symlink_to(outside.parent if as_folder else outside, target_is_directory=as_folder)
    path = link / "code.py" if as_folder else link
    privacy = Privacy([workspace])
    assert path.read_text() == "x = 1\n"
    assert privacy.read(path, 1000) is None
    assert not privacy.usable(path.as_uri())


def test_dots_do_not_lead_out_of_the_workspace(workspace, tmp_path):
    write(tmp_path / "outside.py")
    privacy = Privacy([workspace])
    assert privacy.read(workspace / ".." / "outside.py", 1000) is None
    assert not privacy.usable(f"{workspace.as_uri()}/../outside.py")


def test_a_workspace_folder_behind_a_symlink_is_the_workspace(workspace, tmp_path):
    write(workspace / "main.py")
    link = tmp_path / "link"
    link.symlink_to(workspace, target_is_directory=True)
    for folder, other in ((link, workspace), (workspace, link)):
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
    link = workspace / "link.py"
    link.symlink_to(write(workspace / "sub" / "a.py"))
    privacy = Privacy([workspace])
    assert privacy.read(link, 1000) is None
    assert privacy.hidden(link.as_uri()) is not None


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


def test_a_path_that_no_file_can_have_is_passed_over(workspace):
    uri = "file:///" + "a/" * 3000 + "b.py"
    assert Privacy().hidden(uri) is None
    assert Privacy([workspace]).allowed(workspace / ("a" * 300)) is None
