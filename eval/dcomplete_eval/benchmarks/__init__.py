"""Benchmarks by name. Each is a `dcomplete_eval.types.Benchmark`, loaded when first asked for.

``holes:FOLDER``, ``typed:FOLDER`` and ``heldout:FILE`` are made from what follows the colon.
"""

from collections.abc import Callable

from dcomplete.errors import UserError
from dcomplete.registry import Registry
from dcomplete_eval.types import Benchmark

_ROOM = "dcomplete_eval.benchmarks"
_INFILLING = f"{_ROOM}.humaneval_infilling"
_SAFIM = f"{_ROOM}.safim"

MADE: Registry[Callable[[str], Benchmark]] = Registry(
    "benchmark",
    {
        "holes": f"{_ROOM}.holes:of_folder",
        "typed": f"{_ROOM}.typed:of_folder",
        "heldout": f"{_ROOM}.holes:of_file",
    },
)


class Benchmarks(Registry[Benchmark]):
    """A table in which some names say where their data are."""

    def get(self, name: str) -> Benchmark:
        """The benchmark called `name`; raises UserError naming the known (and the nearest) names."""
        kind, _, where = name.partition(":")
        if kind not in MADE:
            return super().get(name)
        if not where:
            raise UserError(f"{kind} needs a place: holes:FOLDER, typed:FOLDER or heldout:FILE.")
        return MADE.get(kind)(where)


BENCHMARKS = Benchmarks(
    "benchmark",
    {
        "humaneval-single-line": f"{_INFILLING}:SINGLE_LINE",
        "humaneval-multi-line": f"{_INFILLING}:MULTI_LINE",
        "humaneval-random-span": f"{_INFILLING}:RANDOM_SPAN",
        "humaneval-random-span-light": f"{_INFILLING}:RANDOM_SPAN_LIGHT",
        "santacoder": f"{_ROOM}.santacoder:SANTACODER",
        "safim-block": f"{_SAFIM}:BLOCK",
        "safim-block-v2": f"{_SAFIM}:BLOCK_V2",
        "safim-control": f"{_SAFIM}:CONTROL",
        "safim-api": f"{_SAFIM}:API",
        "crosscodeeval": f"{_ROOM}.crosscodeeval:PLAIN",
        "crosscodeeval-bm25": f"{_ROOM}.crosscodeeval:BM25",
        "repobench-python": f"{_ROOM}.repobench:PYTHON",
        "repobench-java": f"{_ROOM}.repobench:JAVA",
        "real-fim-eval": f"{_ROOM}.real_fim_eval:REAL_FIM_EVAL",
        "mbpp-holes": f"{_ROOM}.mbpp_holes:MBPP_HOLES",
    },
)
