"""How a published model is used, beyond what its regime says: part of the manifest."""

from dataclasses import dataclass
from typing import Any

from dcomplete.models.regimes import Layout


@dataclass(frozen=True, slots=True)
class Usage:
    """Defaults fit our own models.

    `window` cells are worked on at a time, from the left (0 is all). `canvas` is the first canvas's
    size where nothing is known of the length (0 is ours). `clear_right`: a deleted cell takes the open
    ones right of it along. `layout` is the prompt of a model that sees nothing after the gap, and an
    answer ends before the first of `stops`. `temperature` and `top_p` belong to the published sampler.
    `other_text` may stand before the prefix: not with weights that were trained on one file at a time.
    """

    window: int = 0
    blocks_from_end: bool = False
    canvas: int = 0
    clear_right: bool = False
    layout: Layout | None = None
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    other_text: bool = True

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Usage":
        layout = raw.get("layout")
        if layout is not None:
            before, between, after = (tuple(layout[n]) for n in ("before", "between", "after"))
            layout = Layout(before, between, after, bool(layout["suffix_first"]))
        return Usage(**{**raw, "layout": layout, "stops": tuple(raw.get("stops", ()))})
