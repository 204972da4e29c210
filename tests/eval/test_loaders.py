"""Published benchmarks: rows in their published formats, loaded and judged by their rules."""

import pytest

from dcomplete.errors import UserError
from dcomplete_eval.benchmarks import BENCHMARKS
from dcomplete_eval.benchmarks.repobench import first_line as first_code_line
from dcomplete_eval.benchmarks.santacoder import first_line
from tests.eval.published import CROSSCODEEVAL, MBPP, REAL_FIM, REPOBENCH, TYPESCRIPT, filled, write

NAMES = sorted(
    ["santacoder", "crosscodeeval", "crosscodeeval-bm25", "repobench-python", "repobench-java",
     "real-fim-eval"]
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_gold_is_exact_and_the_empty_answer_is_not(name, tmp_path):
    rows = filled(tmp_path)[name]
    benchmark = BENCHMARKS.get(name)
    tasks = benchmark.tasks(tmp_path)
    assert benchmark.name == name
    assert len(tasks) == len(rows)
    assert len({task.id for task in tasks}) == len(tasks)
    for task in tasks:
        gold, empty = benchmark.judge(task, task.gold), benchmark.judge(task, "")
        assert (gold.exact, gold.similarity, gold.passed) == (True, 1.0, None)
        assert gold.parses is not False
        assert gold.identifiers is not False
        assert (empty.exact, empty.similarity) == (False, 0.0)
        assert task.benchmark == name
        assert task.test == ""


@pytest.mark.parametrize("name", [*NAMES, "safim-api", "mbpp-holes"])
def test_a_file_of_something_else_is_one_sentence(name, tmp_path):
    other = [{"text": "no row of this benchmark"}]
    for path in (
        "santacoder-fim-task/a.jsonl", "crosscodeeval/python/line_completion.jsonl",
        "crosscodeeval/python/line_completion_rg1_bm25.jsonl", "safim/api_completion.jsonl.gz",
        "repobench_python_v1.1/cross_file_first.jsonl", "real_fim_eval/add/test.jsonl",
        "repobench_java_v1.1/cross_file_first.jsonl", "mbpp-sanitized/sanitized-mbpp.json",
    ):  # fmt: skip
        write(tmp_path / path, other)
    with pytest.raises(UserError, match="is in another format: row 1 has no ") as found:
        BENCHMARKS.get(name).tasks(tmp_path)
    assert "\n" not in str(found.value)


# ---- SantaCoder ----


def test_santacoder_knows_the_three_languages(tmp_path):
    filled(tmp_path)
    tasks = BENCHMARKS.get("santacoder").tasks(tmp_path)
    assert [t.language for t in tasks] == ["python", "javascript", "java"]
    assert tasks[0].prefix + tasks[0].gold + tasks[0].suffix == (
        "def add(x, y):\n    return x + y\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  return x\n  more", "return x"),
        ("\n  return x\nmore", "return x"),
        (" \n  return x\n", "return x"),
        ("\n\n  return x", ""),
        ("  \n  return x", ""),
        ("", ""),
    ],
)
def test_santacoder_takes_the_first_line_as_published(text, line):
    assert first_line(text) == line


def test_santacoder_forgives_what_follows_the_line_and_not_what_precedes_it(tmp_path):
    filled(tmp_path)
    benchmark = BENCHMARKS.get("santacoder")
    task = benchmark.tasks(tmp_path)[0]
    assert benchmark.judge(task, "    return x + y\n\nprint(add)").exact
    assert benchmark.judge(task, "return x + y").exact
    assert not benchmark.judge(task, "    return y + x").exact


# ---- CrossCodeEval ----


def test_crosscodeeval_shows_what_was_retrieved_before_the_prompt(tmp_path):
    filled(tmp_path)
    plain, more = (
        BENCHMARKS.get(n).tasks(tmp_path)[0] for n in ("crosscodeeval", "crosscodeeval-bm25")
    )
    assert plain.prefix == CROSSCODEEVAL["prompt"]
    assert more.prefix == CROSSCODEEVAL["crossfile_context"]["text"] + "\n" + plain.prefix
    assert plain.suffix == more.suffix == CROSSCODEEVAL["right_context"]
    assert plain.group == "python/who-box-1"


@pytest.mark.parametrize(
    ("language", "text", "exact"),
    [
        ("python", "grow(by=2)\nbox.grow(3)", True),  # one statement counts
        ("python", "grow(by=2)  # quickly\n", True),  # comments go
        ("python", "grow(by=2)", True),
        ("python", "  grow(by=2)\n\n", True),
        ("python", "grow(\n    by=2)\nmore()", False),  # lines are compared
        ("python", "grow(by=3)\n", False),
        ("typescript", "grow({ by: 2 });", True),  # though the cut is at the first brace
        ("typescript", "grow({ by: 2 }); // quickly", True),
        ("typescript", "grow({ by: 2 });\nbox.shrink();", False),
    ],
)
def test_crosscodeeval_compares_lines_of_the_first_statement(language, text, exact, tmp_path):
    filled(tmp_path)
    benchmark = BENCHMARKS.get("crosscodeeval-bm25")
    task = next(t for t in benchmark.tasks(tmp_path) if t.language == language)
    assert benchmark.judge(task, text).exact is exact


@pytest.mark.parametrize("text", ["run(a);\nrun(b);", "run(a);\n\n// done\n}"])
def test_crosscodeeval_cuts_at_the_first_semicolon(text, tmp_path):
    row = {**TYPESCRIPT, "groundtruth": "run(a);"}
    write(tmp_path / "crosscodeeval/typescript/line_completion.jsonl", [row])
    benchmark = BENCHMARKS.get("crosscodeeval")
    verdict = benchmark.judge(benchmark.tasks(tmp_path)[0], text)
    assert (verdict.exact, verdict.similarity, verdict.identifiers) == (True, 1.0, True)


def test_crosscodeeval_needs_a_folder_for_each_language(tmp_path):
    write(tmp_path / "crosscodeeval" / "line_completion.jsonl", [CROSSCODEEVAL])
    with pytest.raises(UserError, match="lies in no folder named python, java"):
        BENCHMARKS.get("crosscodeeval").tasks(tmp_path)


# ---- RepoBench ----


def test_repobench_builds_the_published_prompt(tmp_path):
    filled(tmp_path)
    task = BENCHMARKS.get("repobench-python").tasks(tmp_path)[0]
    assert task.prefix == (
        "# Repo Name: who/box\n# Path: src/box.py\nclass Box:\n    pass\n\n"
        "# Path: src/a.py\nfrom box import Box\n\nbox = Box()\n"
    )
    assert (task.suffix, task.kind, task.group) == ("", "cross_file_first", "who/box")
    java = BENCHMARKS.get("repobench-java").tasks(tmp_path)[0]
    assert java.prefix.startswith("// Repo Name: who/box\n// Path: src/box.py\n")


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"level": "16k"}, True),
        ({"level": "24k"}, False),
        ({"created_at": "2023-11-30 23:59:59+00:00"}, False),
        ({"created_at": "2023-12-30 23:59:59+00:00"}, True),
        ({"created_at": "2023-12-31 00:00:01+00:00"}, False),
    ],
)
def test_repobench_takes_the_published_levels_and_month(change, taken, tmp_path):
    for setting in ("cross_file_first", "cross_file_random", "in_file"):
        path = tmp_path / f"repobench_python_v1.1/{setting}-0.jsonl"
        write(path, [{**REPOBENCH, **change}])
    assert len(BENCHMARKS.get("repobench-python").tasks(tmp_path)) == 3 * taken


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("python", "\n\nx = 1\ny = 2", "x = 1"),
        ("python", "# why\n\n  x = 1\n", "  x = 1"),
        ("python", '"""What\nit does."""\nx = 1', "x = 1"),
        ("python", "'''a'''\nx = 1\ny = '''b'''\nz = 2", "z = 2"),  # as published
        ("python", "# only\n# comments", "# only"),
        ("java", "/* a\n b */\nint x;", "int x;"),
        ("java", "// a\nint x; // b", "int x; // b"),
        ("java", "# no comment here", "# no comment here"),
        ("python", "", ""),
    ],
)
def test_repobench_keeps_the_first_line_that_is_no_comment(language, text, line):
    assert first_code_line(text, language) == line


def test_repobench_does_not_mind_white_space(tmp_path):
    filled(tmp_path)
    benchmark = BENCHMARKS.get("repobench-python")
    task = benchmark.tasks(tmp_path)[0]
    assert benchmark.judge(task, "# grow\n    box.grow(2)\nmore()").exact
    assert not benchmark.judge(task, "box.grow( 2 )").exact  # words differ


# ---- Real-FIM-Eval, MBPP ----


@pytest.mark.parametrize(("lang", "language"), [("C++", "cpp"), ("C#", "csharp"), ("Go", "go")])
def test_real_fim_eval_names_languages_as_the_rest_does(lang, language, tmp_path):
    write(tmp_path / "real_fim_eval/add/test.jsonl", [{**REAL_FIM, "lang": lang}])
    write(tmp_path / "real_fim_eval/edit/test.jsonl", [{**REAL_FIM, "to_remove": "x"}] * 5)
    tasks = BENCHMARKS.get("real-fim-eval").tasks(tmp_path)
    assert [t.language for t in tasks] == [language]


def test_mbpp_holes_pass_with_the_gold_and_not_without(sandbox, tmp_path):
    write(tmp_path / "mbpp-sanitized/sanitized-mbpp.json", MBPP)
    benchmark = BENCHMARKS.get("mbpp-holes")
    tasks = benchmark.tasks(tmp_path)
    assert {"line", "expression", "block", "body"} <= {t.kind for t in tasks}
    assert benchmark.tasks(tmp_path) == tasks
    for task in tasks:
        assert "\r" not in task.prefix + task.gold + task.suffix
        assert (task.prefix + task.gold + task.suffix).startswith("# Write a function")
        good = benchmark.judge(task, task.gold)
        assert (good.passed, good.exact, good.outcome) == (True, True, "passed")
    body = next(t for t in tasks if t.kind == "body")
    assert benchmark.judge(body, "").passed is False
    indent = body.gold[: len(body.gold) - len(body.gold.lstrip())]
    for end in ("\n", ""):
        assert benchmark.judge(body, f"{indent}return max(a, b){end}").passed is True
        assert benchmark.judge(body, f"{indent}return min(a, b){end}").passed is False


def test_a_solution_named_like_a_function_of_pythons_can_pass(sandbox, tmp_path):
    code = "def sum(a, b):\n    total = a * b\n    return total + 1\n"
    row = {**MBPP[0], "task_id": 126, "code": code, "test_list": ["assert sum(3, 2) == 7"]}
    write(tmp_path / "mbpp-sanitized/sanitized-mbpp.json", [row])
    benchmark = BENCHMARKS.get("mbpp-holes")
    tasks = benchmark.tasks(tmp_path)
    assert tasks and all(benchmark.judge(task, task.gold).passed for task in tasks)


def test_the_help_names_every_benchmark():
    from dcomplete.cli.eval_run import EXAMPLES

    said = EXAMPLES.partition("\n\n")[0].removeprefix("Benchmarks: ").rstrip(".")
    names = [name.strip() for name in said.split(",")]
    assert names == [*BENCHMARKS, "holes:FOLDER", "typed:FOLDER", "heldout:FILE"]
