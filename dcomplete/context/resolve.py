"""Which files the import statements of a document may mean: path rules of each language, no more.

Packages that are installed elsewhere are none of the workspace's business and are not looked for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_READ = 20_000  # characters of a document that are searched for imports
_MOST = 60  # imports of one document
_SCRIPTS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".svelte", ".vue")

_PYTHON_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(?:\(([^)]*)\)|([^\n#;]*))", re.MULTILINE
)
_PYTHON_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)
_SCRIPT = re.compile(
    r"^[ \t]*(?:import|export)\b([^;\"'()]*?)\bfrom[ \t]*[\"'](\.[^\"'\n]*)[\"']"
    r"|^[ \t]*(?:const|let|var)\b([^;\"'()=]*)=[ \t]*require\([\"'](\.[^\"'\n]*)[\"']\)",
    re.MULTILINE,
)
_RUST = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?use[ \t]+([^;]+);", re.MULTILINE)
_GO = re.compile(r"^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?\"([\w./~-]+)\"", re.MULTILINE)
_JAVA = re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"", re.MULTILINE)
_RUBY = re.compile(r"^[ \t]*require_relative[ \t]*\(?[\"']([^\"'\n]+)[\"']", re.MULTILINE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Target:
    """Files, of which the first that exists is meant, and the imported names; empty for all."""

    paths: tuple[Path, ...]
    names: frozenset[str] = frozenset()


Resolver = Callable[[str, Path, Sequence[Path]], Iterator[Target]]


def targets(language: str, text: str, path: Path, folders: Sequence[Path]) -> list[Target]:
    """What `text`, the document at `path`, imports, as far as it may be in the workspace `folders`."""
    resolver = _RESOLVERS.get(language)
    if resolver is None:
        return []
    found: list[Target] = []
    for target in resolver(text[:_READ], path, folders):
        found.append(target)
        if len(found) >= _MOST:
            break
    return found


def _python(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    for dots, module, several, one in _PYTHON_FROM.findall(text):
        names = _names(several or one, "as")
        roots = _ancestor(path, len(dots)) if dots else _roots(path, folders)
        inner = [p for root in roots for name in names for p in _module(root, f"{module}.{name}")]
        yield Target(tuple(p for root in roots for p in _module(root, module)), names)
        if inner:
            yield Target(tuple(inner))
    for line in _PYTHON_IMPORT.findall(text):
        for part in line.split(","):
            module = part.split(" as ")[0].strip()
            yield Target(tuple(p for r in _roots(path, folders) for p in _module(r, module)))


def _module(root: Path, dotted: str) -> Iterator[Path]:
    parts = [part for part in dotted.split(".") if part]
    place = root.joinpath(*parts)
    if parts:
        yield place.with_name(place.name + ".py")
    yield place / "__init__.py"
    if parts:
        yield place.with_name(place.name + ".pyi")


def _ancestor(path: Path, dots: int) -> list[Path]:
    return list(path.parents[dots - 1 : dots])


def _roots(path: Path, folders: Sequence[Path]) -> list[Path]:
    """Where absolute imports may start: the workspace folders, their `src`, and folders above."""
    above = [p for p in path.parents if any(map(p.is_relative_to, folders))]
    return list(dict.fromkeys([*folders, *(f / "src" for f in folders), *above]))


def _names(text: str, rename: str) -> frozenset[str]:
    """Names in a list, each before its `as`."""
    pieces = re.sub(r"#[^\n]*", "", text).replace("{", ",").replace("}", ",").split(",")
    firsts = (re.split(rf"\s+{rename}\s+", piece.strip())[0] for piece in pieces)
    return frozenset(name for first in firsts for name in _WORD.findall(first) if name != "type")


def _script(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    for names, module, required, file in _SCRIPT.findall(text):
        place = path.parent / (module or file)
        bare = place.with_suffix("") if place.suffix in (".js", ".mjs", ".jsx") else place
        paths = [place, *(bare.with_name(bare.name + suffix) for suffix in _SCRIPTS)]
        paths += [place / f"index{suffix}" for suffix in _SCRIPTS]
        yield Target(tuple(paths), _names(names or required, "as|:"))


def _rust(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    root = next((p / "src" for p in path.parents if (p / "Cargo.toml").is_file()), path.parent)
    home = path.parent if path.stem in ("mod", "lib", "main") else path.with_suffix("")
    for used in _RUST.findall(text):
        head, _, group = re.sub(r"\s+", "", used).partition("{")
        parts = [part for part in head.split("::") if part]
        names = _names(group, "as") if group else frozenset(parts[-1:])
        modules = parts if group else parts[:-1]
        if not modules or modules[0] not in ("crate", "self", "super"):
            continue
        base = {"crate": root, "self": home, "super": home.parent}[modules[0]]
        ways = [base.joinpath(*modules[1:end]) for end in range(len(modules), 0, -1)]
        paths = [p for way in ways[:2] for p in (way.with_suffix(".rs"), way / "mod.rs")]
        yield Target((*paths, root / "lib.rs"), names)


def _go(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    root = next((p for p in path.parents if (p / "go.mod").is_file()), None)
    if root is None or not any(map(root.is_relative_to, folders)):
        return
    module = re.search(r"^module\s+(\S+)", (root / "go.mod").read_text("utf-8"), re.MULTILINE)
    if module is None:
        return
    for package in _GO.findall(text):
        if f"{package}/".startswith(f"{module[1]}/"):
            folder = root / package[len(module[1]) :].lstrip("/")
            for file in sorted(folder.glob("*.go"))[:8] if folder.is_dir() else []:
                if not file.name.endswith("_test.go"):
                    yield Target((file,))


def _java(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    roots = [p for p in path.parents if any(map(p.is_relative_to, folders))]
    for dotted in _JAVA.findall(text):
        parts = dotted.split(".")
        ways = [root.joinpath(*parts).with_suffix(path.suffix) for root in roots]
        yield Target(tuple(ways), frozenset(parts[-1:]))


def _include(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    for name in _INCLUDE.findall(text):
        yield Target((path.parent / name, *(f / "include" / name for f in folders)))


def _ruby(text: str, path: Path, folders: Sequence[Path]) -> Iterator[Target]:
    for name in _RUBY.findall(text):
        yield Target((path.parent / f"{name.removesuffix('.rb')}.rb",))


_RESOLVERS: dict[str, Resolver] = {
    "python": _python,
    "javascript": _script, "javascriptreact": _script,
    "typescript": _script, "typescriptreact": _script, "svelte": _script, "vue": _script,
    "rust": _rust, "go": _go, "java": _java, "kotlin": _java, "scala": _java,
    "c": _include, "cpp": _include, "objective-c": _include, "ruby": _ruby,
}  # fmt: skip
