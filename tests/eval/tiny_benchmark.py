"""A benchmark of thirty gaps whose judge takes its time: to be stopped in the middle."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dcomplete_eval.types import Task, Verdict


class Tiny:
    """See `types.Benchmark`."""

    name = "tiny"

    def __init__(self, pause: float = 0.0, count: int = 30) -> None:
        self.pause, self.count = pause, count

    def tasks(self, data: Path) -> Sequence[Task]:
        return [
            Task(f"tiny/{i}", "tiny", f"g{i // 3}", f"a{i} = ", "\n", "b + c" if i % 2 else "")
            for i in range(self.count)
        ]

    def judge(self, task: Task, text: str) -> Verdict:
        time.sleep(self.pause)
        return Verdict(text == task.gold, text == task.gold, float(text == task.gold))


def main(pause: str, *arguments: str) -> None:
    """The command line with the benchmark `tiny`, whose judge takes `pause` seconds."""
    from dcomplete.cli import main as run
    from dcomplete_eval.benchmarks import BENCHMARKS

    BENCHMARKS._entries["tiny"] = Tiny(float(pause))
    run(arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
