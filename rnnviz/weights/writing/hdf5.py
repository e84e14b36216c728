"""HDF5 for Keras is written by h5py, which is imported when it is needed."""

from __future__ import annotations

from typing import Any

from rnnviz.errors import InputError


def imported_h5py() -> Any:
    """Raises InputError with the command that installs it."""
    try:
        import h5py
    except ImportError:
        raise InputError(
            'writing Keras\' files needs h5py; install it: python -m pip install "rnnviz[keras]"'
        ) from None
    return h5py
