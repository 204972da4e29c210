"""What became of suggestions: remembered for a while, and kept in a local file if asked to.

The file never leaves the machine and holds no code unless `log.code` is set (design, section 6).
"""

import json
import logging
import os
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from dcomplete.settings import LogSettings
from dcomplete.types import Suggestion

Event = Literal["offered", "shown", "accepted", "partly-accepted", "dismissed", "vote"]

MOST_BYTES = 10_000_000
_REMEMBERED = 256

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion as it was sent to the editor."""

    suggestion: Suggestion
    language: str
    automatic: bool
    latency_ms: float


def outcome_file() -> Path:
    """Where outcomes are kept."""
    return platformdirs.user_data_path("dcomplete") / "outcomes.jsonl"


class Outcomes:
    """The latest offers by id, and the file of what became of them."""

    def __init__(self, settings: LogSettings) -> None:
        self.settings = settings
        self._offers: OrderedDict[str, Offer] = OrderedDict()

    def get(self, id: str) -> Offer | None:
        return self._offers.get(id)

    def offered(self, offer: Offer) -> None:
        """An answer goes to the editor."""
        self._offers[offer.suggestion.id] = offer
        while len(self._offers) > _REMEMBERED:
            self._offers.popitem(last=False)
        self.record("offered", offer.suggestion.id)

    def record(self, event: Event, id: str, characters: int | None = None) -> None:
        """Append what happened to an offer, if the person wants a log; unknown ids are ignored."""
        offer = self._offers.get(id)
        if offer is None or not self.settings.outcomes:
            return
        text = offer.suggestion.text
        line: dict[str, Any] = {
            "event": event,
            "id": id,
            "language": offer.language,
            "automatic": offer.automatic,
            "latency_ms": round(offer.latency_ms, 1),
            "source": offer.suggestion.source,
            "shape": offer.suggestion.shape.value,
            "characters": len(text),
            "lines": text.count("\n") + 1,
        }
        if (infill := offer.suggestion.infill) is not None:
            line |= {"model": infill.model, "policy": infill.policy}
        if characters is not None:
            line["accepted_characters"] = characters
        if self.settings.code:
            line["text"] = text
        self.append(line)

    def append(self, line: dict[str, Any]) -> None:
        """Write one line; a full or forbidden disk is noted once in the log and costs nothing."""
        try:
            _append(outcome_file(), {"time": round(time.time(), 3), **line})
        except OSError as error:
            log.warning("Outcomes cannot be kept (%s).", type(error).__name__)


def _append(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size >= MOST_BYTES:
        with suppress(PermissionError):  # Windows, while it is read: it grows on
            path.replace(path.with_suffix(".1.jsonl"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(json.dumps(line) + "\n")
