"""Recorded typing: traces are read exactly, and the real server ends with the same text."""

import gzip
import json
import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from dcomplete.errors import DocumentError
from dcomplete_eval.replay.play import Pace, Tally, percentiles, play, stop_engine, summary
from dcomplete_eval.replay.trace import Patch, Trace, is_typing
from tests.conftest import install_tiny

TRACES = Path(__file__).parents[3] / "shared" / "evaldata" / "editing-traces"


def written(folder: Path, raw: dict[str, object], name: str = "rustcode") -> Path:
    path = folder / f"{name}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(raw).encode()))
    return path


def history(*strokes: list[list[object]], end: str) -> dict[str, object]:
    times = [f"2023-01-01T00:00:{2 * i:02}.000Z" for i in range(len(strokes))]
    txns = [{"time": t, "patches": p} for t, p in zip(times, strokes, strict=True)]
    return {"startContent": "", "endContent": end, "txns": txns}


SMALL = history(
    [[0, 0, "fn main() {\n    \n}\n"]],
    [[16, 0, "l"]],
    [[17, 0, "et"]],
    [[16, 1, ""], [16, 0, "L"]],
    end="fn main() {\n    Let\n}\n",
)


def test_a_trace_is_replayed_to_its_recorded_end(tmp_path):
    trace = Trace.read(written(tmp_path, SMALL))
    assert trace.language == "rust"
    assert list(trace.texts())[-1] == trace.end == SMALL["endContent"]
    half = trace.first(2)
    assert half.end == "fn main() {\n    l\n}\n" and len(half.seconds) == 2


def test_moments_follow_the_recording_and_cut_its_pauses(tmp_path):
    trace = Trace.read(written(tmp_path, SMALL))
    moments = trace.moments(1.5, random.Random(0))
    assert len(moments) == 4 and moments[0] == 0.0
    assert all(0 <= b - a <= 1.5 for a, b in pairwise(moments))


@pytest.mark.parametrize(
    "raw",
    [
        b"no gzip",
        gzip.compress(b"{}"),
        gzip.compress(b"[1"),
        gzip.compress(b"{}")[:-9],
        gzip.compress(b"{}")[:10] + b"\xff" * 20,
    ],
    ids=[
        "no gzip",
        "no list",
        "cut off",
        "ends within",
        "corrupt",
    ],  # gzip notes the time: names must be the same everywhere
)
def test_what_is_no_trace_is_refused_in_one_sentence(tmp_path, raw):
    path = tmp_path / "x.json.gz"
    path.write_bytes(raw)
    with pytest.raises(DocumentError, match="is no editing trace"):
        Trace.read(path)


def test_an_editor_asks_after_typing_not_after_a_large_deletion():
    assert is_typing((Patch(0, 0, "a"),)) and is_typing((Patch(0, 1, ""),))
    assert not is_typing((Patch(0, 500, ""),))
    assert not is_typing((Patch(0, 0, "a"), Patch(9, 0, "b")))


def test_percentiles_of_nothing_are_nothing():
    assert percentiles([]) == {}
    assert percentiles([1.0]) == {"p50": 1.0, "p90": 1.0, "p99": 1.0}
    assert percentiles([1.0, 2.0, 3.0])["p50"] == 2.0


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.asyncio
async def test_typing_a_recorded_history_leaves_the_same_text_at_the_server(data_home, tmp_path):
    """Shown with a tiny model, the end of a real trace where there is one, and no error."""
    install_tiny(data_home)
    real = TRACES / "sveltecomponent.json.gz"
    path = real if real.exists() else written(tmp_path, SMALL)
    trace = Trace.read(path).first(400)
    env = dict(os.environ)
    tally = Tally()
    try:
        tally = await play(trace, Pace(20.0), env, arguments=("--model", "tiny"))
    finally:
        stop_engine(env)
    said = summary(trace, tally, Pace(20.0))
    assert said["same_text"] is True
    assert said["errors"] == 0 and said["requests"] > len(trace.keystrokes) // 2
    assert sum(said["outcomes"].values()) == said["requests"], "every request was answered"


def test_a_single_answer_has_a_time():
    assert percentiles([5.0]) == {"p50": 5.0, "p90": 5.0, "p99": 5.0} and percentiles([]) == {}
