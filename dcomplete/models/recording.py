"""Work of fixed shape recorded once as a CUDA graph and replayed as one launch; `plain` is the twin."""

from collections.abc import Callable
from typing import Any

import torch

Body = Callable[[], None]
Recorder = Callable[[Body], Body]
_WARM_UPS = 2  # runs before a recording: kernels are chosen and compiled, workspaces allocated


def plain(body: Body) -> Body:
    """No recording: the twin."""
    return body


class Graphs:
    """Records bodies as CUDA graphs, which are replayed one after another and share scratch memory.

    One for each network: that memory dies with the last graph in it and cannot be used again.
    """

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, body: Body) -> Body:
        """A CUDA graph of `body`, which must neither wait for the device nor change shapes.

        Raises RuntimeError where it does.
        """
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                body()
        torch.cuda.current_stream().wait_stream(side)
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            body()
        return graph.replay
