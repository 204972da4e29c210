"""The real program in a process of its own, with the embedded model.

Whether it loads the model itself is asked by a few tests; what it makes of texts is asked of one engine
process by all others, for loading takes longer than answering.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcomplete.serve.places import LOG_VARIABLE, RUNTIME_VARIABLE
from dcomplete.serve.start import StartOptions, ensure_engine, read_status, stop_engine

pytestmark = [pytest.mark.e2e, pytest.mark.weights]
ROOT = Path(__file__).parents[2]
AVERAGE = ROOT / "dcomplete" / "examples" / "average.py"


@pytest.fixture(scope="module")
def engine_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where an engine process runs that was asked something by the end."""
    folder = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as environment:
        for variable in (RUNTIME_VARIABLE, LOG_VARIABLE):
            environment.setenv(variable, str(folder))
        ensure_engine(StartOptions(exit_after=300))
        yield folder
        status = read_status()
        assert stop_engine() and status is not None and status.counts["done"]


@pytest.fixture
def shared_engine(engine_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program finds that process."""
    monkeypatch.setenv(RUNTIME_VARIABLE, str(engine_place))


def infill(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "dcomplete", "infill", *map(str, arguments)],
        input=stdin, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def answer(*arguments: object, stdin: str | None = None) -> dict:
    done = infill(*arguments, "--json", stdin=stdin)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def importing_torch() -> float:
    """Seconds for what is not ours: the yardstick of this machine, at this moment."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.monotonic() - start


def test_the_first_answer_comes_in_time_and_makes_sense():
    """Process start included: 6 s, or four times `import torch` where that alone takes longer than
    1.5 s. The best of four: a shared machine's other work is not ours."""
    seconds, bound = [], max(6.0, 4 * importing_torch())
    for _ in range(4):
        start = time.monotonic()
        found = answer(AVERAGE, "--at", "9:9")
        seconds.append(time.monotonic() - start)
        assert found["text"].strip().splitlines()[0] == "count += 1"
        assert found["finish"] == "done"
        if seconds[-1] < bound:
            break
    assert min(seconds) < bound, (seconds, bound)


def test_the_filled_example_runs(tmp_path):
    path = tmp_path / "average.py"
    path.write_text(AVERAGE.read_text())
    assert infill(path, "--at", "9:9", "--write").returncode == 0
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "3.0"


@pytest.mark.usefixtures("shared_engine")
def test_three_gaps_keep_what_is_between_them():
    text = (
        "import <GAP>\n\n\ndef read(path):\n    with open(<GAP>) as file:\n"
        "        return json.load(<GAP>)\n"
    )
    whole = infill("-", "--filled", stdin=text).stdout
    pieces = [re.escape(piece) for piece in text.split("<GAP>")]
    match = re.fullmatch("(.*)".join(pieces), whole, re.DOTALL)
    assert match, whole
    assert all(len(gap) < 300 for gap in match.groups())


@pytest.mark.usefixtures("shared_engine")
def test_a_cut_inside_an_identifier():
    text = "def calculate_total(values):\n    result = sum(values)\n    return res<GAP>\n"
    found = answer("-", stdin=text)
    assert found["text"].startswith("ult")


@pytest.mark.usefixtures("shared_engine")
@pytest.mark.parametrize(
    "text",
    [
        "def main():\n    print(1)\n\n\n<GAP>\n\n\nmain()\n",
        "package main\n\nfunc add(a int, b int) int {\n\t<GAP>\n}\n",
        "function add(a, b) {\n\tif (a) {\n\t\t<GAP>\n\t}\n}\n",
    ],
)
def test_code_behind_an_empty_line_or_tabs_is_no_white_space(text):
    """No token of this tokenizer holds two characters of white space and code."""
    found = answer("-", "--max-tokens", 24, stdin=text)
    assert found["text"][:1].strip(), found


@pytest.mark.usefixtures("shared_engine")
def test_a_gap_that_needs_nothing():
    found = answer("-", "--max-tokens", 16, stdin="x = 1<GAP>\ny = 2\nz = 3\n")
    assert len(found["text"]) < 80


def test_a_gap_of_150_tokens():
    found = answer(
        "-", "--max-tokens", 150, "--length", 150, "--steps", 8,
        stdin='def fibonacci(n):\n    """Return the n-th number."""\n<GAP>',
    )  # fmt: skip
    assert found["tokens"] == 150


@pytest.mark.usefixtures("shared_engine")
def test_a_long_gap_goes_on_over_several_canvases():
    found = answer("-", "--max-tokens", 150, "--steps", 10, stdin="NAMES = [\n    'Anna',\n<GAP>")
    assert found["tokens"] <= 150 and found["finish"] in ("done", "length", "steps")


@pytest.mark.usefixtures("shared_engine")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("crlf", "def f(a, b):\r\n    total = a + b\r\n    return <GAP>\r\n"),
        ("tabs", "def f(a, b):\n\ttotal = a + b\n\treturn <GAP>\n"),
        (
            "emoji",
            "ICONS = {'ok': '✅', 'no': '❌'}\n\ndef icon(name):\n    return <GAP>\n# 🎉 done\n",
        ),
        ("cjk", "# 合計を返す\ndef 合計(値):\n    return sum(<GAP>)\n\nprint(合計([1, 2]))\n"),
    ],
)
def test_text_of_every_kind_around_the_gap(name, text, tmp_path):
    path = tmp_path / "file.py"
    path.write_bytes(text.encode())
    assert infill(path, "--write", "--max-tokens", 24).returncode == 0
    before, after = text.split("<GAP>")
    whole = path.read_bytes().decode()
    assert whole.startswith(before) and whole.endswith(after)
    inside = whole[len(before) : len(whole) - len(after)]
    assert inside.strip() and "\ufffd" not in inside
    if name == "crlf":
        assert "\n" not in inside.replace("\r\n", "")


def test_a_file_of_five_megabytes(tmp_path):
    path = tmp_path / "big.py"
    line = "def function_{0}(a, b):\n    total_{0} = a + b\n    return total_{0}\n\n\n"
    half = "".join(line.format(n) for n in range(35_000))
    path.write_text(half + "def last(a, b):\n    total = a + b\n    return <GAP>\n\n\n" + half)
    assert path.stat().st_size > 5_000_000
    found = answer(path, "--max-tokens", 16)
    assert found["text"].strip().startswith("total")
    assert found["context_tokens"] <= 1024 and found["timings_ms"]["tokenize"] < 500


def test_watching_shows_masks_turning_into_text(tmp_path):
    done = infill(AVERAGE, "--at", "9:9", "--watch", "--record", tmp_path / "out.svg")
    assert done.returncode == 0 and "░" in (tmp_path / "out.svg").read_text()
    assert "count += 1" in done.stderr


def test_the_embedded_model_passes_its_self_tests():
    done = subprocess.run(
        [sys.executable, "-m", "dcomplete", "models", "check", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    results = json.loads(done.stdout)
    assert done.returncode == 0 and all(r["passed"] for r in results), results


def test_the_embedded_model_is_small_and_its_card_is_true():
    from dcomplete.models.store import find
    from dcomplete.train.export import checksums

    entry = find("")
    card = entry.manifest().card
    assert entry.embedded and entry.bytes <= 100_000_000
    files = [f for f in entry.path.iterdir() if f.name in card["sha256"]]
    assert checksums(files) == card["sha256"]
    assert {"base", "licence", "device", "tokens_seen", "data"} <= set(card)


def test_a_typed_character_computes_little():
    import dcomplete

    engine = dcomplete.open_engine()
    text = ("value = compute(first, second)\nprint(value)\n" * 90) + "resul"
    same = {"suffix": "\n", "length": "16", "steps": 1, "max_tokens": 16, "context_tokens": 2048}
    first = engine.infill(dcomplete.InfillRequest(text, **same))
    assert first.context_tokens > 1000
    typed = engine.infill(dcomplete.InfillRequest(text + "t", **same))
    assert typed.tokens_computed <= 16 + 16


NEEDED = [
    ("def parse(line):", "key, value = line.split()", "return key.strip(), value"),
    ("def split(text):", "head, tail = text.split()", "return head, tail"),
    ("def read(path):", "lines = read_file(path)", "return lines"),
]


@pytest.mark.usefixtures("shared_engine")
@pytest.mark.parametrize(("head", "best", "after"), NEEDED)
def test_branches_find_what_the_text_behind_the_gap_needs(head, best, after):
    text = f"{head}\n    <GAP>\n    {after}\n"
    assert answer("-", "--dtype", "float32", "--branches", 0, stdin=text)["text"] != best
    assert answer("-", "--dtype", "float32", stdin=text)["text"] == best
