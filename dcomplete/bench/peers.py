"""llama.cpp as the peer: the same number of tokens, autoregressively, in the same run."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from dcomplete.bench.scenarios import quantile
from dcomplete.errors import UserError

_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to run llama.cpp: a script of ours, its interpreter, and the folder to run it in."""

    name: str
    script: str
    program: str
    folder: Path


def find_peers(model: Path | None, node_folder: Path | None, python: str | None) -> list[Peer]:
    """The peers asked for; raises UserError for one that is not there, or has no model to run."""
    peers = []
    if (model is None) != (node_folder is None and python is None):
        raise UserError("llama.cpp needs --peer-model and --node-peer or --python-peer.")
    if model is not None and not model.is_file():
        raise UserError(f"There is no GGUF file {model}.")
    if node_folder is not None:
        node = shutil.which("node")
        if node is None or not (node_folder / "node_modules" / "node-llama-cpp").is_dir():
            raise UserError(
                f"node-llama-cpp is not installed in {node_folder} (or node is missing)."
            )
        peers.append(Peer("node-llama-cpp", "peer_node.mjs", node, node_folder))
    if python is not None:
        if shutil.which(python) is None:
            raise UserError(f"There is no Python interpreter {python}.")
        peers.append(Peer("xllamacpp", "peer_xllamacpp.py", python, Path.cwd()))
    return peers


def measure(peer: Peer, model: Path, prompt: str, threads: int, repeats: int) -> dict[str, Any]:
    """p50 and p90 in milliseconds of each scenario; raises UserError where the peer fails."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "prompt.txt"
        text.write_text(prompt, encoding="utf-8", newline="\n")
        with as_file(files("dcomplete.bench") / peer.script) as script:
            arguments = [str(script), str(model.resolve()), str(text), str(threads), str(repeats)]
            run = _run([peer.program, *arguments], peer)
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode or not lines:
        why = (run.stderr.strip().splitlines() or ["no output"])[-1]
        raise UserError(f"The peer {peer.name} failed: {why}")
    raw = json.loads(lines[-1])
    out: dict[str, Any] = {"engine": raw["engine"], "prompt_tokens": raw["prompt_tokens"]}
    for name in ("cold", "warm10", "warm32"):
        times = raw[name]["times"]
        out[name] = {
            "p50_ms": round(quantile(times, 0.5), 1),
            "p90_ms": round(quantile(times, 0.9), 1),
            "tokens": raw[name]["tokens"],
        }
    return out


def _run(command: list[str], peer: Peer) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=peer.folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"The peer {peer.name} did not end within {_LIMIT_S:.0f} s.") from None
    except OSError as error:
        raise UserError(f"The peer {peer.name} cannot be started: {error.strerror}.") from None
