"""Loss curves of a run as a picture."""

import json
from pathlib import Path
from statistics import fmean

PARTS = ("loss", "canvas", "clean", "length")


def plot(log: Path, picture: Path, smooth: int = 20) -> None:
    """Draw the log's losses, each with its running mean over `smooth` steps. Needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for name in PARTS:
        values = [line[name] for line in lines]
        windows = [values[max(0, i - smooth + 1) : i + 1] for i in range(len(values))]
        means = [fmean(window) for window in windows]
        (drawn,) = axes.plot([line["step"] for line in lines], means, label=name)
        axes.plot([line["step"] for line in lines], values, color=drawn.get_color(), alpha=0.2)
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    plt.close(figure)
