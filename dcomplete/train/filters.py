"""Which files are worth learning from: hand-written code; no data, no benchmarks."""

import re
from pathlib import PurePosixPath

LANGUAGES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript",
    ".jsx": "javascript", ".ts": "typescript", ".tsx": "tsx", ".go": "go", ".rs": "rust",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".hpp": "cpp", ".cuh": "cpp", ".cu": "cpp",
    ".java": "java", ".kt": "kotlin", ".rb": "ruby", ".cs": "csharp", ".swift": "swift",
    ".sh": "bash", ".lua": "lua", ".php": "php", ".scala": "scala", ".sql": "sql",
}  # fmt: skip
MAX_BYTES, MIN_CHARACTERS = 200_000, 300
MAX_LINE, MAX_MEAN_LINE = 400, 100

_BENCHMARK = re.compile(
    r"human[-_]?eval|evalplus|eval[-_]plus|mbpp|bigcode|swe[-_]?bench|live[-_]?code[-_]?bench|"
    r"ds[-_]?1000|multipl[-_]e(?![a-z])|code[-_]?x[-_]?glue|infilling|safim|repobench|"
    r"crosscodeeval|lm[-_]eval|code[-_]eval|inspect[-_]evals",
    re.I,
)
_VENDORED = re.compile(
    r"(^|/)(_?vendor(ed)?|third[-_]?party|extern(al)?s?|node_modules|site-packages|_bundled|"
    r"__pycache__|bower_components)(/|$)",
    re.I,
)
_COMPILED = re.compile(  # what a compiler or bundler made of other files
    r"(^|/)(dist|_?esm?|_?cjs|umd|build|bundles?|es20\d\d|fesm\d+|lib-(esm?|cjs|commonjs|module))(/|$)",
    re.I,
)
_COMPILES = {"javascript", "typescript", "tsx"}
_DATA = re.compile(
    r"(^|/)(tests?[-_]?data|fixtures?|snapshots?|cassettes|tests?/data|goldens?)(/|$)"
)
_GENERATED_NAME = re.compile(
    r"_pb2(_grpc)?\.pyi?$|\.pb\.\w+$|\.min\.\w+$|[-.]bundle\.\w+$|\.d\.ts$"
)
_GENERATED = re.compile(
    r"do not (edit|modify)|auto[- ]?generated|@generated|generated (by|from|automatically|file)|"
    r"this file (is|was) (automatically )?generated",
    re.I,
)
_LITERAL_LINE = re.compile(r"""^\s*(?:[rbuf]?["'].*|[-+]?[\d.].*|[\[({\])}].*)[,\])}]\s*$""", re.I)


def is_benchmark(name: str) -> bool:
    """Whether a package name or path belongs to an evaluation benchmark."""
    return bool(_BENCHMARK.search(name))


def reject_path(path: str) -> str | None:
    """Why a file at `path` (within its package, with `/`) is left out, or None to keep it."""
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower())
    if language is None:
        return "language"
    if is_benchmark(path):
        return "benchmark"
    if _VENDORED.search(path):
        return "vendored"
    if _DATA.search(path):
        return "test data"
    if language in _COMPILES and _COMPILED.search(path):
        return "compiled"
    return "generated" if _GENERATED_NAME.search(path) else None


def reject_text(text: str) -> str | None:
    """Why a file with this text is left out, or None to keep it."""
    if len(text) < MIN_CHARACTERS:
        return "short"
    if _GENERATED.search(text[:2000]):
        return "generated"
    lines = text.split("\n")
    if max(map(len, lines)) > MAX_LINE or len(text) / len(lines) > MAX_MEAN_LINE:
        return "long lines"
    return "data" if _is_data(text, lines) else None


def _is_data(text: str, lines: list[str]) -> bool:
    """Mostly digits, punctuation or literals: tables teach a completion model nothing."""
    visible = sum(map(len, text.split()))
    letters = sum(map(str.isalpha, text)) + text.count("_")
    if letters < visible / 2:
        return True
    full = [line for line in lines if line.strip()]
    return sum(1 for line in full if _LITERAL_LINE.match(line)) > len(full) / 2
