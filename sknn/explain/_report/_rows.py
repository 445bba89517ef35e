"""The rows to browse: what stands in them, what was predicted, and why.

Picks and packs; of the contributions of a row only the largest are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn.explain._report._contributions import Contribution
from sknn.explain._report._subject import Subject

__all__ = ["choose_rows", "rows_of"]

KEPT = 12  # contributions of a row; the page shows the rest as one


def choose_rows(subject: Subject, n_rows: int, seed: int) -> np.ndarray:
    """Draw rows at random, so that they stand for all of them."""
    n = subject.X.shape[0]
    if n_rows >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, n_rows, replace=False))


def rows_of(
    subject: Subject, indices: np.ndarray, found: Sequence[Contribution]
) -> dict[str, Any]:
    """Return columns and rows of the table, with the contributions behind each."""
    columns, cells = _cells(subject, found[0])
    return {
        "columns": columns,
        "rows": {
            "index": indices.tolist(),
            "cells": cells.tolist(),
            **_outcomes(subject, indices),
            "contributions": [_packed(contribution) for contribution in found],
        },
    }


def _cells(
    subject: Subject, contribution: Contribution
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return names and levels of columns, and cells: numbers or places in levels."""
    cells, columns = contribution.data.copy(), []
    for j, name in enumerate(subject.names):
        levels = None
        texts: Any = [] if contribution.display is None else contribution.display[:, j]
        if any(isinstance(text, str) for text in texts):
            _, first, cells[:, j] = np.unique(
                cells[:, j], return_index=True, return_inverse=True
            )
            levels = [str(texts[i]) for i in first]
        columns.append({"name": name, "levels": levels})
    return columns, cells


def _outcomes(subject: Subject, indices: np.ndarray) -> dict[str, Any]:
    truth, predicted = subject.truth[indices], subject.predicted[indices]
    outcomes = {"truth": truth.tolist(), "prediction": predicted.tolist()}
    if subject.is_regression:
        error = predicted - truth
        every = subject.predicted - subject.truth
        usual = np.sqrt(np.mean(every**2))
        outcomes |= {"error": error.tolist(), "wrong": (abs(error) > usual).tolist()}
        return outcomes
    outcomes["wrong"] = (truth != predicted).tolist()
    if subject.probabilities is not None:
        outcomes["probability"] = subject.probabilities[indices, predicted].tolist()
    return outcomes


def _packed(contribution: Contribution) -> dict[str, Any]:
    """Return the largest contributions of each row and output, (n, C, kept)."""
    values = np.moveaxis(contribution.values, 1, -1)
    order = np.argsort(-np.abs(values), axis=-1, kind="stable")[..., :KEPT]
    score = contribution.score
    return {
        "columns": order.tolist(),
        "values": np.take_along_axis(values, order, axis=-1).tolist(),
        "base": contribution.base.tolist(),
        "total": contribution.total.tolist(),
        "score": None if score is None else score.tolist(),
    }
