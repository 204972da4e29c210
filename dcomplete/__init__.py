"""dcomplete fills gaps in code with a diffusion language model, on your own machine."""

from collections.abc import Callable

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
    "check_request",
    "connect_engine",
    "gap_counter",
    "open_engine",
]


def open_engine(model: str = "", device: str = "auto", dtype: str = "auto") -> Engine:
    """Load a model by name (the embedded default if empty) and return an engine in this process.

    Raises UserError for an unknown or damaged model, device or dtype. Imports torch.
    """
    from dcomplete.engine.load import open_model

    return open_model(model, device, dtype)


def connect_engine(model: str = "", device: str = "auto", dtype: str = "auto") -> Engine:
    """The engine process that editors and the shell share, started when first needed.

    Its `close()` closes the connections; the process goes on. Raises UserError where a private
    folder for it cannot be had.
    """
    from dcomplete.serve.orders import Choice
    from dcomplete.serve.remote import RemoteEngine
    from dcomplete.serve.start import StartOptions

    return RemoteEngine(model, StartOptions(Choice(model, device, dtype)))


def check_request(request: InfillRequest, model: str = "") -> None:
    """Raise UserError for what no engine would do: a value out of range, an unknown policy or model.

    Nothing is loaded or started. A policy imports torch.
    """
    from dcomplete.engine.checks import check_request as check
    from dcomplete.models.store import find

    check(request)
    if request.policy:
        from dcomplete.engine.policies import policy

        policy(request.policy)
    if model:
        find(model)


def gap_counter(model: str = "") -> Callable[[InfillRequest, str], int]:
    """A function (request, text) -> how many tokens the text is in the request's gap.

    By the model's own tokenizer, as the engine cuts the gap's borders: what `length` would have to be
    for an engine that is told the true length. Raises UserError for an unknown model.
    """
    from functools import partial

    from dcomplete.engine.load import read_tokens
    from dcomplete.engine.prompt import gap_tokens
    from dcomplete.models.store import find

    return partial(gap_tokens, read_tokens(find(model).path))
