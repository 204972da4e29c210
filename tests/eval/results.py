"""Results as the harness saves them: runs, a replay and a ranking, for reports to read."""

from pathlib import Path

from dcomplete_eval.report.runs import Run
from dcomplete_eval.store import Store
from dcomplete_eval.types import Answer, Record, Verdict

REPLAY = {
    "bench": "usefulness", "commit": "abc1234", "machine": "a processor", "device": "cpu",
    "dtype": "float32", "contestant": "engine:small", "settings": {"kind": "engine", "steps": 8},
    "trace": "rustcode", "language": "rust", "clock": "virtual", "latency_ms": None, "speed": 1.0,
    "seed": 0, "keystrokes": 500, "every": 1, "debounce_ms": 75.0, "pause_s": 0.0,
    "accepts": {"rule": "line", "least": 3}, "typed": 400, "completed": 40, "saved": 30,
    "saved_per_1000": {"value": 75.0, "low": 50.0, "high": 100.0},
    "rocc": {"value": 0.1, "low": 0.05, "high": 0.15}, "requests": 300, "stale_share": 12.5,
    "shown": 90, "accepted": 10, "acceptance": 11.1, "kept_share": 80.0,
    "shown_ms": {"p50": 180.0, "p90": 400.0, "p99": 900.0}, "data": "feed",
}  # fmt: skip
RANKING = {
    "standings": [
        {"name": name, "rank": rank, "elo": {"value": elo, "low": elo - 50, "high": elo + 50},
         "together": {"value": elo, "low": elo - 60, "high": elo + 60}, "votes": 60, "wins": 30,
         "losses": 20, "ties": 10, "shown_first": 31}
        for name, rank, elo in (("engine:small", 1, 1040.0), ("peer", None, 960.0))
    ],
    "beats": [[0.5, 0.6], [0.4, 0.5]], "above": [[0.5, 0.9], [0.1, 0.5]], "wins": [[0, 30], [20, 0]],
    "votes": 60, "clusters": 9, "resampled": "sessions",
    "first_share": {"value": 0.8, "low": 0.7, "high": 0.9}, "position": None, "minimum": 50,
    "prior_sd": 1.0,
}  # fmt: skip


def record(number, good=True, benchmark="holes", **more):
    """One judged answer; what is not said is of no matter."""
    answer = {"text": f"answer {number}", "ms": 100.0 + number, "tokens": 5, "true_tokens": 5,
              "steps": 8, "forwards": 4} | more.pop("answer", {})  # fmt: skip
    verdict = {"passed": good, "exact": good, "similarity": 1.0 if good else 0.25,
               "outcome": "passed" if good else "failed"} | more.pop("verdict", {})  # fmt: skip
    said = {"group": f"g{number}", "kind": "line", "language": "python"} | more
    return Record(
        f"t{number}", benchmark, said["group"], said["kind"], said["language"],
        Answer(**answer), Verdict(**verdict),
    )  # fmt: skip


def head(contestant, benchmark="holes", **settings):
    return {
        "benchmark": benchmark, "contestant": contestant, "settings": settings, "commit": "abc1234",
        "machine": "a processor", "device": settings.get("device"), "dtype": settings.get("dtype"),
        "data": "0123456789abcdef", "tasks": 4, "of": 4, "sandbox": "bwrap", "started": "then",
    }  # fmt: skip


def run(contestant, goods, benchmark="holes", **settings):
    records = tuple(record(n, bool(g), benchmark) for n, g in enumerate(goods))
    return Run(contestant, benchmark, head(contestant, benchmark, **settings), records)


def saved(folder: Path, made: Run) -> Path:
    """The run as `dcomplete eval run` writes it."""
    path = folder / f"{made.contestant}-{made.benchmark}.jsonl".replace(":", "_").replace("/", "_")
    store = Store(path)
    store.begin(dict(made.about))
    for one in made.records:
        store.append(one)
    return path
