"""Triton's interpreter, in which kernels are checked without a GPU: whether it works here."""

from importlib.util import find_spec

import numpy as np
import pytest


def missing() -> str:
    """Why it does not work, or ""."""
    if find_spec("triton") is None:
        return "Triton is not installed"
    if np.lib.NumpyVersion(np.__version__) >= "2.4.0":  # loops whose bounds are data (Triton 3.6)
        return "Triton's interpreter needs NumPy before 2.4"
    return ""


INTERPRETED = pytest.mark.skipif(bool(missing()), reason=missing() or "it works")
