"""Benchmarks by name. Each is a `dcomplete_eval.types.Benchmark`, loaded when first asked for."""

from dcomplete.registry import Registry
from dcomplete_eval.types import Benchmark

_INFILLING = "dcomplete_eval.benchmarks.humaneval_infilling"

BENCHMARKS: Registry[Benchmark] = Registry(
    "benchmark",
    {
        "humaneval-single-line": f"{_INFILLING}:SINGLE_LINE",
        "humaneval-multi-line": f"{_INFILLING}:MULTI_LINE",
        "humaneval-random-span": f"{_INFILLING}:RANDOM_SPAN",
        "humaneval-random-span-light": f"{_INFILLING}:RANDOM_SPAN_LIGHT",
    },
)
