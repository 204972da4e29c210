"""Names of files that hold secrets.

The lists join those of Zed, Continue and gitleaks' file names; that an assistant reads `.env` is among
the most repeated complaints (vscode 335397, positron 7724, continue 3244).
"""

import re
from fnmatch import translate
from pathlib import Path

# Whatever the file's language.
_ALWAYS = (
    ".env", ".env.*", ".env-*", ".env_*", ".envrc*", "*.env", ".dev.vars*", "*.pem", "*.key", "*.p8",
    "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.crt", "*.cert", "*.cer",
    "*.der", "*.csr", "*.gpg", "*.pgp", "*.ovpn", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
    "*_rsa", "*_dsa", "*_ecdsa", "*_ed25519", ".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc",
    ".git-credentials", ".pgpass", ".my.cnf", "my.cnf", ".htpasswd", "htpasswd", ".dockercfg", ".boto",
    ".s3cfg", ".vault-token", ".vault_pass*", ".databrickscfg", ".sentryclirc", ".terraformrc",
    "terraform.rc", "*.kubeconfig", "*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.*",
    "service*account*.json",
    "client*secret*.json", "*firebase-adminsdk*.json", "local.settings.json", "wp-config.php",
    "rootkey.csv", "*accesskeys.csv", ".*_history", "*.mobileprovision",
)  # fmt: skip
# Programs may be called so as well: they are completed in, and shown to nobody else.
_NAMED = ("credentials*", "secrets.*", "secret.*", "*.asc")
# Only of data: a program with such a name is one like any other.
_DATA = (
    "secret", "secrets", ".secret", ".secrets", ".secret.*", ".secrets.*", "*[-_.]secret.*",
    "*[-_.]secrets.*", "*[-_]credentials", "*[-_]credentials.*", "kubeconfig*",
)  # fmt: skip
_FOLDERS = frozenset(
    {".aws", ".azure", ".gcloud", ".gnupg", ".kube", ".password-store", ".ssh", ".git"}
)
_DATA_FOLDERS = frozenset({"secrets", ".secrets"})
_PLACES = re.compile(
    r"/(?:\.config/gcloud/.+|\.config/gh/hosts\.yml|\.m2/settings[^/]*\.xml|\.docker/config\.json)$"
)
_PROGRAMS = {
    ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte",
    ".html", ".css", ".scss", ".java", ".kt", ".scala", ".go", ".rs", ".c", ".h", ".cc", ".cpp",
    ".cxx", ".hh", ".hpp", ".cs", ".m", ".mm", ".rb", ".php", ".lua", ".swift", ".dart", ".zig",
    ".ex", ".exs", ".hs", ".jl", ".pl", ".pm", ".asc", ".adoc", ".tf", ".proto",
}  # fmt: skip
_COPY = re.compile(r"(?:\.(?:bak|backup|old|orig|save|swp|tmp)|~)+$")


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


_IS_ALWAYS, _IS_NAMED, _IS_DATA = _any(_ALWAYS), _any(_NAMED), _any(_DATA)


def is_sealed(path: Path) -> bool:
    """Whether nothing is suggested even inside the file: its name or a folder tells of secrets."""
    return _tells(path, programs=False)


def is_secret(path: Path) -> bool:
    """Whether no other file gets to see the text of this one: also programs called `secrets`."""
    return _tells(path, programs=True)


def _tells(path: Path, programs: bool) -> bool:
    parts = [part.lower() for part in path.parts]
    if not parts:
        return False
    if not _FOLDERS.isdisjoint(parts[:-1]) or _PLACES.search("/" + "/".join(parts)):
        return True
    name = parts[-1]
    program = Path(name).suffix in _PROGRAMS
    if not program and not _DATA_FOLDERS.isdisjoint(parts[:-1]):
        return True
    return any(_named(called, program, programs) for called in {name, _COPY.sub("", name)})


def _named(name: str, program: bool, programs: bool) -> bool:
    if _IS_ALWAYS.match(name):
        return True
    if program:
        return programs and _IS_NAMED.match(name) is not None
    return _IS_NAMED.match(name) is not None or _IS_DATA.match(name) is not None
