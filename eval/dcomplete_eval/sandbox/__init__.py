"""Runs model-written programs where they can harm nothing, and decides unforgeably whether they pass.

`isolation` builds the walls, `seccomp` thickens them; `guard` and `candidate` run inside and talk by
`wire`; `running` starts and ends it all, `waiting` for no longer than is fair.
"""

from dcomplete_eval.sandbox.isolation import Limits
from dcomplete_eval.sandbox.running import Ran, Sandbox, choose, chosen

__all__ = ["Limits", "Ran", "Sandbox", "choose", "chosen"]
