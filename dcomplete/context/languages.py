"""What dcomplete knows about programming languages: grammar, comments, and what opens a block.

Keys are LSP language identifiers. Grammars are imported when they are first asked for, and a missing
one is no error: the language then works line by line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import tree_sitter

_BRACE = r"[{\[]$|=>$|->$|\b(?:case\b.*|default)\s*:$"
_C_BRACE = r"[{\[]$|\b(?:case\b.*|default|public|private|protected)\s*:$"
_PYTHON = (
    r"[{\[]$|^\s*(?:(?:async\s+)?(?:def|class|if|elif|else|for|while|with|try|except|finally|match"
    r"|case)\b|[)\]]).*:$"
)
_RUBY = (
    r"[{\[]$|\b(?:do|then|else|begin|ensure|rescue)$|\bdo\s*\|[^|]*\|$|\{\s*\|[^|]*\|$"
    r"|^\s*(?:def|class|module|if|unless|elsif|while|until|case|when|for)\b.*\S$"
)
_LUA = r"[{\[]$|\b(?:then|do|else|repeat)$|\bfunction\b[^()]*\([^()]*\)$"
_SHELL = r"\{$|\b(?:do|then|else)$"
_YAML = r":$"
_NEVER = r"(?!)"
# Characters of a long line that are searched, at its ends: patterns may cost their square.
_HEAD, _TAIL = 200, 800


@dataclass(frozen=True, slots=True)
class Language:
    """How one language is written. `opener` matches a line, cut at the cursor, that opens a block."""

    name: str
    grammar: str = ""  # "module" or "module:function", "" for none
    suffixes: tuple[str, ...] = ()
    comment: str = ""  # starts a line comment
    block_comment: tuple[str, str] | None = None
    indented: bool = False  # blocks are made by indentation
    opener: str = _NEVER
    statements: bool = True  # False for prose and markup: `)` at a line's end means nothing there
    elided: str = "{ ... }"  # stands for a left-out body
    typed_headers: bool = False  # function headers have no keyword: `int main()`

    def opens_block(self, line: str) -> bool:
        """Whether `line`, the text left of the cursor, ends with something that opens a block."""
        line = line.rstrip()
        if len(line) > _HEAD + _TAIL:
            line = line[:_HEAD] + line[-_TAIL:]
        return _compiled(self.opener).search(line) is not None

    def commented(self, text: str) -> str:
        """Every line of `text` behind the comment sign, "" where the language has no comments."""
        if self.comment:
            return "".join(f"{self.comment} {line}".rstrip() + "\n" for line in text.splitlines())
        if self.block_comment and not any(sign in text for sign in self.block_comment):
            start, end = self.block_comment
            return f"{start}\n{text.rstrip()}\n{end}\n"
        return ""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_SLASHES = ("/*", "*/")
_MARKUP = ("<!--", "-->")


def _braces(name: str, grammar: str, *suffixes: str, opener: str = _BRACE) -> Language:
    return Language(name, grammar, suffixes, "//", _SLASHES, opener=opener)


def _typed(name: str, grammar: str, *suffixes: str) -> Language:
    """A brace language in which a function's header starts with its type."""
    return Language(name, grammar, suffixes, "//", _SLASHES, opener=_C_BRACE, typed_headers=True)


def _markup(name: str, grammar: str, *suffixes: str) -> Language:
    return Language(name, grammar, suffixes, "", _MARKUP, statements=False)


_JAVASCRIPT = "tree_sitter_javascript"
_TYPESCRIPT = "tree_sitter_typescript:language_typescript"
_TSX = "tree_sitter_typescript:language_tsx"

_KNOWN = (
    Language(
        "python", "tree_sitter_python", (".py", ".pyi", ".pyw"), "#",
        indented=True, opener=_PYTHON, elided="...",
    ),
    _braces("javascript", _JAVASCRIPT, ".js", ".mjs", ".cjs"),
    _braces("javascriptreact", _JAVASCRIPT, ".jsx"),
    _braces("typescript", _TYPESCRIPT, ".ts", ".mts", ".cts"),
    _braces("typescriptreact", _TSX, ".tsx"),
    _typed("java", "tree_sitter_java", ".java"),
    _braces("go", "tree_sitter_go", ".go"),
    _braces("rust", "tree_sitter_rust", ".rs"),
    _typed("c", "tree_sitter_c", ".c", ".h"),
    _typed("cpp", "tree_sitter_cpp", ".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"),
    _typed("csharp", "tree_sitter_c_sharp", ".cs"),
    Language("ruby", "tree_sitter_ruby", (".rb", ".rake"), "#", opener=_RUBY, elided="# ..."),
    _braces("php", "tree_sitter_php:language_php", ".php"),
    Language("shellscript", "tree_sitter_bash", (".sh", ".bash", ".zsh"), "#", opener=_SHELL),
    Language("lua", "tree_sitter_lua", (".lua",), "--", opener=_LUA, elided="-- ..."),
    _braces("kotlin", "tree_sitter_kotlin", ".kt", ".kts"),
    _braces("swift", "tree_sitter_swift", ".swift"),
    _braces("scala", "tree_sitter_scala", ".scala", ".sc", opener=_BRACE + "|=$"),
    _markup("html", "tree_sitter_html", ".html", ".htm"),
    _markup("svelte", "tree_sitter_svelte", ".svelte"),
    _markup("markdown", "tree_sitter_markdown", ".md", ".markdown"),
    _markup("vue", "", ".vue"),
    _markup("xml", "", ".xml", ".xsd", ".svg"),
    Language(
        "css", "tree_sitter_css", (".css",), "", _SLASHES, opener=r"\{$", statements=False,
    ),
    Language("scss", "", (".scss",), "//", _SLASHES, opener=r"\{$", statements=False),
    Language("less", "", (".less",), "//", _SLASHES, opener=r"\{$", statements=False),
    Language("json", "tree_sitter_json", (".json",), opener=r"[{\[]$"),
    Language("jsonc", "tree_sitter_json", (".jsonc",), "//", _SLASHES, opener=r"[{\[]$"),
    Language(
        "yaml", "tree_sitter_yaml", (".yaml", ".yml"), "#",
        indented=True, opener=_YAML, statements=False,
    ),
    Language("toml", "tree_sitter_toml", (".toml",), "#", opener=r"\[$", statements=False),
    Language("sql", "tree_sitter_sql", (".sql",), "--", _SLASHES, statements=False),
    Language("plaintext", "", (".txt",), statements=False),
    Language("git-commit", "", statements=False),
    Language("latex", "", (".tex",), "%", statements=False),
    Language("restructuredtext", "", (".rst",), statements=False),
    Language("dockerfile", "", (".dockerfile",), "#", statements=False),
    Language("makefile", "", (".mk",), "#", opener=_YAML, statements=False),
    Language("perl", "", (".pl", ".pm"), "#", opener=_BRACE),
    Language("powershell", "", (".ps1",), "#", opener=_BRACE),
    Language("r", "", (".r",), "#", opener=_BRACE),
    Language("elixir", "", (".ex", ".exs"), "#", opener=r"\b(?:do|else)$|->$"),
    Language("julia", "", (".jl",), "#"),
    Language("haskell", "", (".hs",), "--", indented=True, opener=r"\b(?:do|where|of)$|=$"),
    _braces("dart", "", ".dart"),
    _braces("zig", "", ".zig"),
    _typed("objective-c", "", ".m"),
    _typed("objective-cpp", "", ".mm"),
)  # fmt: skip

LANGUAGES: Mapping[str, Language] = {language.name: language for language in _KNOWN}
_BY_SUFFIX = {suffix: language for language in _KNOWN for suffix in language.suffixes}
_ALIASES = {
    "bash": "shellscript", "sh": "shellscript", "zsh": "shellscript", "py": "python",
    "js": "javascript", "jsx": "javascriptreact", "ts": "typescript", "tsx": "typescriptreact",
    "c++": "cpp", "cs": "csharp", "c_sharp": "csharp", "rb": "ruby", "rs": "rust", "golang": "go",
    "md": "markdown", "yml": "yaml", "make": "makefile", "text": "plaintext", "txt": "plaintext",
    "gitcommit": "git-commit", "rst": "restructuredtext", "tex": "latex", "plaintex": "latex",
    "objc": "objective-c", "objective_c": "objective-c", "objcpp": "objective-cpp",
    "ps1": "powershell", "pwsh": "powershell", "fish": "shellscript", "ksh": "shellscript",
    "shell": "shellscript", "docker": "dockerfile",
}  # fmt: skip


def language_of(name: str, uri: str = "") -> Language:
    """The language called `name`, else the one that the address's suffix tells, else a plain one.

    Editors have names of their own (`sh`, `make`), and some of several parts (`yaml.ansible`). What
    is not known at all has no statements: `)` at a line's end may mean anything there.
    """
    name = name.lower()
    first = name.partition(".")[0]
    known = LANGUAGES.get(_ALIASES.get(name, name)) or LANGUAGES.get(_ALIASES.get(first, first))
    if (known is None and not name) or known is LANGUAGES["plaintext"]:
        known = _BY_SUFFIX.get(_suffix(uri), known)  # editors do not know every file
    plain = Language(name or "plaintext", f"{name}@pack" if name else "", statements=False)
    return known or plain


def _suffix(uri: str) -> str:
    try:
        return PurePosixPath(unquote(urlsplit(uri).path)).suffix.lower()
    except ValueError:
        return ""


def has_suffix(suffix: str) -> bool:
    """Whether files called `*suffix` are in a language that dcomplete knows."""
    return suffix.lower() in _BY_SUFFIX


@cache
def grammar(address: str) -> tree_sitter.Language | None:
    """The grammar at `address`; None where it is not installed or does not fit this tree-sitter."""
    if not address:
        return None
    try:
        if address.endswith("@pack"):
            pack = import_module("tree_sitter_language_pack")
            found = pack.get_language(address.removesuffix("@pack"))
            return found if isinstance(found, tree_sitter.Language) else None
        module, _, entry = address.partition(":")
        return tree_sitter.Language(getattr(import_module(module), entry or "language")())
    except Exception:  # a broken wheel costs the syntax, never the suggestion
        return None
