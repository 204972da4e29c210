"""What the model gets to see: the text around the gap, and what else helps to fill it. Text only."""

from dcomplete.context.gather import AHEAD, Context, errors_with, gather, gather_ahead
from dcomplete.context.languages import language_of
from dcomplete.context.source import SOURCES, Deadline, Source
from dcomplete.context.trees import Edit
from dcomplete.context.window import estimate
from dcomplete.context.workspace import Workspace

__all__ = [
    "AHEAD",
    "SOURCES",
    "Context",
    "Deadline",
    "Edit",
    "Source",
    "Workspace",
    "errors_with",
    "estimate",
    "gather",
    "gather_ahead",
    "language_of",
]
