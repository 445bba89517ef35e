"""One page on a fitted model: its scores, its curves and what moves its predictions.

Holds the function for users; the rooms beside it gather numbers and make the page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sknn._files import write_atomically
from sknn.explain._alignment import align, choose_background, fitted_names
from sknn.explain._outputs import raw_output
from sknn.explain._report._about import describe, training_curves
from sknn.explain._report._contributions import (
    check_methods,
    contributions_of,
    importance_of,
)
from sknn.explain._report._interactions import top_pairs
from sknn.explain._report._page import make_page
from sknn.explain._report._rows import choose_rows, rows_of
from sknn.explain._report._scores import calibration, confusion, scores
from sknn.explain._report._subject import Subject, predict_on

__all__ = ["report"]


def report(
    estimator: Any,
    X: Any,
    y: Any,
    path: str | os.PathLike[str],
    *,
    background: Any = None,
    n_rows: int = 50,
    title: str | None = None,
    methods: Sequence[str] = ("auto", "lime"),
    target: Any = None,
    output: str = "auto",
    random_state: Any = 0,
) -> Path:
    """Write one HTML page that says how good a model is and what it looks at.

    The page needs no network and no other file: it can be mailed or archived. It has
    the model and its parameters, its scores beside those of a constant prediction,
    calibration or residuals, training curves, the importance of the columns, and a
    table of rows in which each prediction opens into the contributions behind it.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted classifier or regressor; a pipeline together with its preprocessing.
    X : array, sparse matrix, pandas or polars DataFrame of shape (n, d)
        Rows that the model was not trained on; all of them are scored.
    y : array of shape (n,) or (n, outputs)
        The true labels or numbers. Of several outputs `target` chooses one.
    path : str or path-like
        The file to write; its folder must exist. An earlier page is replaced whole or,
        where anything fails, not at all.
    background : like X, of shape (B, d), optional
        The rows that predictions are compared with; 100 rows of the training data are
        a good choice. None takes 100 rows of X and warns.
    n_rows : int, default=50
        How many rows of X are explained, drawn at random; time grows with it.
    title : str, optional
        Heading of the page; None names the model.
    methods : sequence of str, default=("auto", "lime")
        Names in `METHODS`. The importance of columns is that of the first; what a
        later one refuses is warned of and said on the page.
    target : label, int, list or "predicted", optional
        The classes or outputs to explain, as in `explain`. None explains every class,
        or ``classes_[1]`` if there are two.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained, as in `explain`.
    random_state : int, Generator or RandomState, default=0
        Seed of all random draws.

    Returns
    -------
    path : Path
        The file that was written.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist; this is looked at before anything is computed.
    ValueError
        If a parameter, X or y does not fit the model or one another.
    ImportError
        If shap or lime is not installed.

    Warns
    -----
    UserWarning
        If rows of X serve as the background, or a method is left out.

    Notes
    -----
    The importance of a column is the mean of its absolute contributions over the
    explained rows. Its interval, 1.96 standard errors to either side, says how much
    another draw of rows would move it; not how sure the model is.

    Everything in the rows that are shown stands in the file, also what the page does
    not display: mind whom it is sent to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sknn.explain import report
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "iris.html"
    ...     file = report(model, X[1::2], y[1::2], path, background=X[::2], n_rows=5)
    ...     file.read_text("utf-8")[:15]
    '<!doctype html>'
    """
    file = _check_path(path)
    _check_n_rows(n_rows)
    methods = check_methods(methods)
    raw = raw_output(estimator, output)
    seed = _seed(random_state)
    X = align(estimator, X, "X", fitted_names(estimator))
    background = choose_background(estimator, X, background, seed)
    subject = predict_on(estimator, X, y, background, target)
    page = _gather(subject, raw.method, output, methods, n_rows, seed)
    heading = title or f"Report on {page['about']['model']}"
    write_atomically(file, make_page(heading, page))
    return file


def _gather(
    subject: Subject,
    method: str,
    output: str,
    methods: Sequence[str],
    n_rows: int,
    seed: int,
) -> dict[str, Any]:
    """Compute all that stands on the page, as plain lists and dicts."""
    about, curves = describe(subject), training_curves(subject.estimator)
    indices = choose_rows(subject, n_rows, seed)
    found, omitted = contributions_of(subject, indices, methods, output, seed)
    return {
        "about": about,
        "kind": subject.kind,
        "explained": method,
        "scores": scores(subject),
        "confusion": confusion(subject),
        "calibration": calibration(subject),
        "curves": curves,
        "methods": [contribution.facts() for contribution in found],
        "omitted": omitted,
        "outputs": found[0].outputs,
        "importance": [importance_of(contribution) for contribution in found],
        "interactions": top_pairs(subject, indices, output, seed),
        **rows_of(subject, indices, found),
    }


def _check_path(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"path must lie in a folder that exists, got {os.fspath(path)!r}"
        )
    if file.is_dir():
        raise IsADirectoryError(f"path must name a file, got the folder {str(file)!r}")
    return file


def _check_n_rows(n_rows: int) -> None:
    is_integer = isinstance(n_rows, int | np.integer) and not isinstance(n_rows, bool)
    if not is_integer or n_rows < 1:
        raise ValueError(f"n_rows must be an integer of at least 1, got {n_rows!r}")


def _seed(random_state: Any) -> int:
    """Return a seed; an integer is its own, as in `explain`."""
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    return int(np.random.default_rng(random_state).integers(2**31))
