"""LIME through the lime package: one sample, one prediction, one fit for every row.

Holds what the package needs to be told and what is read from its objects.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from sknn.explain._local import LocalFits, wanted
from sknn.explain._optional import require
from sknn.explain._problem import CodedModel, Problem

__all__ = ["Lime", "perturbed_rows_named"]


@dataclass(frozen=True)
class Lime:
    """lime's tabular explainer with its settings, made anew for every row.

    An explainer's generator would otherwise carry what earlier rows drew to the next.
    """

    problem: Problem
    settings: dict[str, Any]  # of lime's explainer
    request: dict[str, Any]  # of each explanation

    def fit(self, i: int, fits: LocalFits) -> Any:
        """Explain row i, write what was found into `fits` and return lime's object."""
        problem, row, seed = self.problem, self.problem.X[i], self.problem.row_seed(i)
        explainer = require("lime.lime_tabular").LimeTabularExplainer(
            problem.background,
            mode="classification" if problem.model.n_outputs > 1 else "regression",
            random_state=np.random.RandomState(seed),
            **self.settings,
        )
        outputs = wanted(problem, i)
        surrogate = RecordingRidge(alpha=1.0)
        found = self._ask(explainer, row, outputs, surrogate)
        found.random_state = seed  # its HTML would draw from the global generator
        scaled = (row - explainer.scaler.mean_) / explainer.scaler.scale_
        scaled[explainer.categorical_features] = 1.0  # lime asks: the same category?
        for k, score in zip(outputs, surrogate.scores, strict=True):
            label = k if problem.model.n_outputs > 1 else found.dummy_label
            fits.contributions[i, :, k] = 0.0
            for j, coefficient in found.local_exp[label]:  # slopes: times the values
                fits.contributions[i, j, k] = coefficient * scaled[j]
            fits.intercept[i, k], fits.score[i, k] = found.intercept[label], score
        return found

    def _ask(
        self, explainer: Any, row: np.ndarray, outputs: Sequence[int], surrogate: Any
    ) -> Any:
        with warnings.catch_warnings():
            # lime expects probabilities, its regression does not
            message = r"\s*Prediction probabilties do not sum"
            warnings.filterwarnings("ignore", message)
            return explainer.explain_instance(
                row,
                PerturbedModel(self.problem.model),
                labels=outputs,
                model_regressor=surrogate,
                **self.request,
            )


@contextmanager
def perturbed_rows_named() -> Iterator[None]:
    """Say what to do if the model refuses rows that LIME has perturbed."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            "the model refuses rows that LIME has perturbed; name numeric columns "
            "that hold codes in categorical_features, or use method='permutation'"
        ) from error


@dataclass(frozen=True)
class PerturbedModel:
    """The model as lime wants it: (n,) numbers for one output, else (n, C)."""

    model: CodedModel

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return the outputs on perturbed rows."""
        with perturbed_rows_named():
            values = self.model(codes)
        return values if self.model.n_outputs > 1 else values[:, 0]


class RecordingRidge(Ridge):
    """lime's regression, which keeps the R² of every output; lime keeps the last."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the weighted R² and keep it in `scores`."""
        score = super().score(X, y, sample_weight)
        self.scores = [*getattr(self, "scores", []), score]
        return score
