"""Fitted attributes that are read off the network instead of being stored beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import read_floats
from sknn.estimators._targets import Targets
from sknn.layers import Dense, Embedding
from sknn.losses import Loss
from sknn.network import Network
from sknn.training.state import TrainingState


class FittedNetwork:
    """What `fit` publishes about a network, under scikit-learn's names.

    The attributes do not exist before a fit: asking for one raises AttributeError.
    """

    _network: Network
    _state: TrainingState
    _loss: Loss
    _targets: Targets
    _columns: ColumnEncoder | None = None

    @property
    def coefs_(self) -> list[Array]:
        """Kernels of the dense layers in their order, each of shape (n_in, n_out)."""
        return self._weights("W")

    @coefs_.setter
    def coefs_(self, kernels: Sequence[Array]) -> None:
        self._replace(self.coefs_, kernels, "coefs_")

    @property
    def intercepts_(self) -> list[Array]:
        """Intercepts of the dense layers, each of shape (n_out,)."""
        return self._weights("b")

    @intercepts_.setter
    def intercepts_(self, intercepts: Sequence[Array]) -> None:
        self._replace(self.intercepts_, intercepts, "intercepts_")

    def _weights(self, name: str) -> list[Array]:
        walk = self._of_fit("_network").walk()
        views = [p[name] for layer, p, _ in walk if isinstance(layer, Dense)]
        return Weights(view[0] if name == "b" else view for view in views)

    def _replace(self, views: list[Array], given: Sequence[Any], name: str) -> None:
        """Copy arrays into the network; None leaves a layer's as they are."""
        try:
            arrays = [None if a is None else read_floats(name, a) for a in given]
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be a list of arrays of numbers, one for each kernel of "
                f"the network, got {given!r}."
            ) from None
        fits = [
            array is None or array.shape == view.shape
            for array, view in zip(arrays, views, strict=False)
        ]
        if len(arrays) != len(views) or not all(fits):
            shapes = [None if item is None else item.shape for item in arrays]
            raise ValueError(
                f"{name} must have the shapes {[view.shape for view in views]}, got "
                f"{shapes}."
            )
        for array, view in zip(arrays, views, strict=True):
            if array is not None and not _are_finite(array, view.dtype):
                raise ValueError(
                    f"{name} must be finite in {view.dtype}, got NaN, infinity or "
                    "larger values."
                )
        for view, array in zip(views, arrays, strict=True):
            if array is not None:
                view[...] = array

    @property
    @of_one_model
    def categories_(self) -> dict[int | str, Array]:
        """Categories of each categorical column, in the order of their codes."""
        self._of_fit("_network")
        if self._columns is None:
            return {}
        return dict(
            zip(self._categorical_columns(), self._columns.categories, strict=True)
        )

    @property
    @of_one_model
    def embeddings_(self) -> dict[int | str, Array]:
        """Learned rows of each embedded column, by category, unseen and missing last.

        Each is a view of shape (n_categories + 1, dim). Columns that are one-hot have
        none.
        """
        walk = self._of_fit("_network").walk()
        found = [(layer, p) for layer, p, _ in walk if isinstance(layer, Embedding)]
        if self._columns is None or not found:
            return {}
        layer, p = found[0]
        columns = self._categorical_columns()
        return {columns[j]: table for j, table in layer.tables(p).items()}

    def _categorical_columns(self) -> list[int | str]:
        """Return the names of the categorical columns, their indices if X has none."""
        assert self._columns is not None
        names = getattr(self, "feature_names_in_", None)
        columns = self._columns.categorical_columns
        return [i if names is None else str(names[i]) for i in columns]

    @property
    def n_layers_(self) -> int:
        """Number of layers, input and output included."""
        return len(self.coefs_) + 1

    @property
    def n_outputs_(self) -> int:
        """Number of outputs."""
        return self._of_fit("_targets").n_outputs

    @property
    def out_activation_(self) -> str:
        """Name of the function behind the network's output."""
        return self._of_fit("_loss").link

    @property
    def _optimizer(self) -> TrainingState:
        """State of the optimiser; its `learning_rate` is read in the wild."""
        return self._of_fit("_state")

    @property
    def _no_improvement_count(self) -> int:
        return self._of_fit("_state").no_improvement_count

    def _of_fit(self, name: str) -> Any:
        try:
            return vars(self)[name]
        except KeyError:
            kind = type(self).__name__
            raise AttributeError(f"This {kind} instance is not fitted yet.") from None


def _are_finite(array: Array, dtype: Any) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.isfinite(array.astype(dtype, copy=False)).all())


class Weights(list):
    """Arrays that can be replaced by item: a new one is copied into the network."""

    def __setitem__(self, index: Any, value: Any) -> None:
        """Copy `value` into the array at `index`."""
        self[index][...] = value
