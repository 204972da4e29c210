"""dcomplete fills gaps in code with a diffusion language model, on your own machine."""

from dcomplete.errors import DcompleteError, Refusal, UserError
from dcomplete.types import Answer, CancelToken, Engine, Finish, Infill, InfillRequest

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "CancelToken",
    "DcompleteError",
    "Engine",
    "Finish",
    "Infill",
    "InfillRequest",
    "Refusal",
    "UserError",
    "open_engine",
]


def open_engine(model: str = "", device: str = "auto", dtype: str = "auto") -> Engine:
    """Load a model by name (the embedded default if empty) and return an engine in this process.

    Raises UserError for an unknown or damaged model, device or dtype. Imports torch.
    """
    from dcomplete.engine.load import load_engine

    return load_engine(model, device, dtype)
