"""llama.cpp through xllamacpp: ``python peer_xllamacpp.py MODEL PROMPT THREADS REPEATS``, one JSON line.

A program of its own, so that xllamacpp may live in another environment than dcomplete.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import xllamacpp


def main(model: str, prompt_path: str, threads: str, repeats: str) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_batch, params.n_ubatch = 2048, 1024, 1024
    params.n_parallel, params.n_gpu_layers = 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
    params.cache_ram_mib = 0  # no saved prompts beside the slot's own
    params.verbosity = -1
    server = xllamacpp.Server(params)
    prompt = Path(prompt_path).read_text(encoding="utf-8")

    def run(count: int, cached: bool) -> tuple[float, dict[str, Any]]:
        body = {"prompt": prompt, "n_predict": count, "temperature": 0, "cache_prompt": cached}
        start = time.perf_counter()
        answer = server.handle_completions({**body, "ignore_eos": True})
        passed = (time.perf_counter() - start) * 1000
        return passed, json.loads(answer) if isinstance(answer, str | bytes) else answer

    _, first = run(1, cached=False)
    out: dict[str, Any] = {"engine": "xllamacpp"}
    out["prompt_tokens"] = first.get("timings", {}).get("prompt_n")
    for name, count, cached in (("cold", 1, False), ("warm10", 10, True), ("warm32", 32, True)):
        run(count, cached)
        timed = [run(count, cached) for _ in range(int(repeats))]
        made = timed[-1][1].get("timings", {}).get("predicted_n")
        out[name] = {"times": [ms for ms, _ in timed], "tokens": made}
    print(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
