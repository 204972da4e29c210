"""What the editor is told about the server: ready, loading, busy, off, and why nothing appears."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dcomplete.errors import Reason, Refusal

Kind = Literal["ready", "loading", "busy", "off", "error"]
Notify = Callable[[str, dict[str, Any]], None]

_ERRORS = {Reason.NO_ENGINE}
_LOADING = {Reason.LOADING}
_ASKED = {Reason.NOTHING, Reason.UNSURE}  # what only an engine that works says
_INACTIVE = {Reason.DISABLED, Reason.PRIVATE, Reason.TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Status:
    """One state; `reason` is the value of a Reason, "" where nothing was refused."""

    kind: Kind
    message: str = ""
    reason: str = ""
    model: str = ""

    def as_params(self) -> dict[str, Any]:
        """The parameters of `dcomplete/status`."""
        params: dict[str, Any] = {
            "kind": self.kind,
            "reason": self.reason or None,
            "message": self.message,
        }
        return params | ({"model": self.model} if self.model else {})

    def as_copilot(self) -> dict[str, Any]:
        """The parameters of `didChangeStatus`, as Copilot's language server sends it."""
        inactive = self.kind == "off" or self.reason in {reason.value for reason in _INACTIVE}
        kind = "Error" if self.kind == "error" else "Inactive" if inactive else "Normal"
        return {"busy": self.kind in ("busy", "loading"), "message": self.message, "kind": kind}


class StatusBoard:
    """Tells the editor of every change, and of every refusal."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._running = 0
        self._rest = Status("ready")
        self._told: Status | None = None
        self.copilot = False  # whether the client speaks Copilot's dialect

    @property
    def current(self) -> Status:
        """The state that an editor should show."""
        if self._running and self._rest.kind == "ready":
            return Status("busy", "Thinking.", model=self._rest.model)
        return self._rest

    def rest(self, kind: Kind, message: str = "", model: str = "") -> None:
        """The state while no request runs."""
        self._rest = Status(kind, message, model=model)
        self._tell(self.current)

    def begin(self) -> None:
        """A request runs."""
        self._running += 1
        self._tell(self.current)

    def end(self) -> None:
        """A request ended. What was said about it, if it was refused, stays."""
        self._running -= 1
        if self._told is not None and self._told.kind == "busy":
            self._tell(self.current)

    def answered(self) -> None:
        """A request was answered, so the engine works again if it did not before."""
        if self._rest.kind in ("error", "loading"):
            self.rest("ready", model=self._rest.model)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused: say why, also if it is the same reason again."""
        if refusal.reason is Reason.SUPERSEDED:
            return
        if refusal.reason in _ASKED:
            self.answered()
        kind = self._rest.kind
        if refusal.reason in _ERRORS:
            kind = "error"
        elif refusal.reason in _LOADING:
            kind = "loading"
        elif kind == "error":
            return  # what is wrong is more worth knowing
        self._send(Status(kind, str(refusal), refusal.reason.value, self._rest.model))

    def failed(self, message: str) -> None:
        """A request failed by something that the person can mend."""
        self._send(Status("error", message, model=self._rest.model))

    def _tell(self, status: Status) -> None:
        if status != self._told:
            self._send(status)

    def _send(self, status: Status) -> None:
        self._told = status
        self._notify("dcomplete/status", status.as_params())
        if self.copilot:
            self._notify("didChangeStatus", status.as_copilot())
