"""Rows of published benchmarks in their published formats, and a folder that holds them all."""

import gzip
import json
from pathlib import Path

import pytest

SANTACODER = [
    {"name": "HumanEval_0_add", "language": "py", "prompt": "def add(x, y):\n", "suffix": "\n",
     "canonical_solution": "    return x + y", "tests": "assert add(1, 2) == 3"},
    {"name": "HumanEval_0_add", "language": "js", "prompt": "function add(x, y) {\n",
     "suffix": "\n}\n", "canonical_solution": "  return x + y;", "tests": ""},
    {"name": "HumanEval_0_add", "language": "java", "prompt": "class P { int add(int x, int y) {\n",
     "suffix": "\n} }\n", "canonical_solution": "    return x + y;", "tests": ""},
]  # fmt: skip
CROSSCODEEVAL = {
    "prompt": "from box import Box\n\nbox = Box(3)\nbox.", "groundtruth": "grow(by=2)",
    "right_context": "\nprint(box)\n",
    "metadata": {"task_id": "project_cc_python/1", "repository": "who-box-1", "file": "a.py",
                 "context_start_lineno": 0, "groundtruth_start_lineno": 3,
                 "right_context_start_lineno": 4},
    "crossfile_context": {
        "text": "# Here are some relevant code fragments from other files of the repo:\n",
        "list": [{"retrieved_chunk": "class Box:", "filename": "box.py", "score": 0.5}],
    },
}  # fmt: skip
TYPESCRIPT = {
    **CROSSCODEEVAL, "prompt": "const box = new Box();\nbox.", "groundtruth": "grow({ by: 2 });",
    "metadata": {**CROSSCODEEVAL["metadata"], "task_id": "project_cc_typescript/1"},
}  # fmt: skip
REPOBENCH = {
    "repo_name": "who/box", "file_path": "src/a.py",
    "context": [{"identifier": "Box", "path": "src/box.py", "snippet": "class Box:\n    pass"}],
    "import_statement": "from box import Box", "token_num": 900, "cropped_code": "\n\n\n\nbox = Box()",
    "all_code": "...", "next_line": "box.grow(2)", "gold_snippet_index": 0,
    "created_at": "2023-12-05 10:00:00+00:00", "level": "2k",
}  # fmt: skip
REAL_FIM = {
    "repo": "who/box", "ref": "abc", "path": "src/a.ts", "prompt": "const a = 1;\n", "suffix": "f(b);\n",
    "canonical_solution": "const b = a + 1;\n", "lang": "typescript", "timestamp": "2025-01-02",
}  # fmt: skip
MBPP = [
    {"source_file": "Benchmark Questions Verification V2.ipynb", "task_id": 7,
     "prompt": "Write a function to find the larger of two numbers.",
     "code": "import math\r\ndef larger(a, b):\r\n  if a > b:\r\n    return math.floor(a)\r\n  return b",
     "test_imports": ["import math"],
     "test_list": ["assert larger(3, 2) == 3", "assert larger(1, math.floor(2.5)) == 2"]},
]  # fmt: skip


def write(path: Path, found: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        write_table(pyarrow.Table.from_pylist(found), path)
        return
    text = json.dumps(found) if ".jsonl" not in path.name else "".join(map(line, found))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def line(row: dict) -> str:
    return json.dumps(row) + "\n"


def filled(data: Path) -> dict[str, list[dict]]:
    """All benchmarks' data, and the rows behind each."""
    code = data / "crosscodeeval" / "crosscodeeval_data"
    write(data / "santacoder-fim-task/data/train-00000-of-00001-b6.parquet", SANTACODER)
    for name, rows in (("python", [CROSSCODEEVAL]), ("typescript", [TYPESCRIPT])):
        plain = [{k: v for k, v in row.items() if k != "crossfile_context"} for row in rows]
        write(code / name / "line_completion.jsonl", plain)
        write(code / name / "line_completion_rg1_bm25.jsonl", rows)
    settings = ("cross_file_first", "cross_file_random", "in_file")
    for language in ("python", "java"):
        for setting in settings:
            name = f"repobench_{language}_v1.1/data/{setting}-00000-of-00001-9f.parquet"
            write(data / name, [REPOBENCH])
    write(data / "real_fim_eval/add/test.jsonl.gz", [REAL_FIM])
    return {
        "santacoder": SANTACODER,
        "crosscodeeval": [CROSSCODEEVAL, TYPESCRIPT],
        "crosscodeeval-bm25": [CROSSCODEEVAL, TYPESCRIPT],
        "repobench-python": [REPOBENCH] * 3,
        "repobench-java": [REPOBENCH] * 3,
        "real-fim-eval": [REAL_FIM],
    }
