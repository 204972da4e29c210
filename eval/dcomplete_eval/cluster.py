"""A contestant on every node of a Ray cluster that runs already: tasks are spread over them.

Each node needs this package and, for engines, the model. Answers are judged on the node that gave them.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from dcomplete.errors import UserError
from dcomplete_eval.types import Benchmark, Contestant, Record, Task


class Node:
    """What runs on a node, in a process of its own: one contestant, and the judge of its answers."""

    def __init__(self, spec: str, unsafe: bool) -> None:
        self._spec, self._unsafe = spec, unsafe
        self._who: Contestant | None = None

    def begin(self) -> tuple[str, dict[str, Any], str]:
        """Make the contestant: its name, its settings, and what is wrong ("" = nothing)."""
        from dcomplete_eval import sandbox
        from dcomplete_eval.contestants import contestant

        try:
            if self._unsafe:
                sandbox.choose(unsafe=True)
            self._who = contestant(self._spec)
        except UserError as error:
            return "", {}, str(error)
        return self._who.name, self._who.settings(), ""

    def judged(self, benchmark: Benchmark, task: Task) -> Record | str:
        """A task's record, or one sentence why there is none."""
        from dcomplete_eval.run import record

        assert self._who is not None
        try:
            return record(benchmark, task, self._who.answer(task))
        except UserError as error:
            return str(error)

    def end(self) -> None:
        if self._who is not None:
            self._who.close()


class Cluster:
    """See `run.Runner`."""

    def __init__(self, spec: str, unsafe: bool = False) -> None:
        self._ray = _library()
        self._connect()
        remote = self._ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(Node)
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        self._workers = [remote.remote(spec, unsafe) for _ in nodes]
        try:
            said = self._ray.get([worker.begin.remote() for worker in self._workers])
        except self._ray.exceptions.RayError as error:
            raise UserError(f"The Ray cluster cannot run the harness: {_line(error)}") from None
        self.name: str = said[0][0]
        self._settings: dict[str, Any] = said[0][1]
        if wrong := [problem for *_, problem in said if problem]:
            self.close()
            raise UserError(wrong[0])

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        try:
            self._ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
        except ConnectionError:
            raise UserError(
                "No Ray cluster is found; start one (`ray start --head`) or set RAY_ADDRESS."
            ) from None

    def settings(self) -> dict[str, Any]:
        return self._settings

    @property
    def nodes(self) -> int:
        return len(self._workers)

    def run(
        self, benchmark: Benchmark, tasks: Sequence[Task], keep: Callable[[Record], None]
    ) -> None:
        """See `run.Runner`; records are kept as they come."""
        pool = import_module("ray.util").ActorPool(self._workers)
        asked = lambda worker, task: worker.judged.remote(benchmark, task)  # noqa: E731
        try:
            for found in pool.map_unordered(asked, tasks):
                if isinstance(found, str):
                    raise UserError(found)
                keep(found)
        except self._ray.exceptions.RayError as error:
            raise UserError(
                f"A worker of the Ray cluster failed ({_line(error)}); the same command goes on."
            ) from None

    def close(self) -> None:
        for worker in self._workers:
            worker.end.remote()
            worker.__ray_terminate__.remote()


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _library() -> Any:
    try:
        return import_module("ray")
    except ImportError:
        raise UserError("--ray needs Ray: pip install 'dcomplete[ray]'.") from None
