"""Training data in chunks: told from other input, checked, and learned from once.

The first pass learns what a fit needs to know of all samples; each epoch then checks
and encodes the chunks again, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.estimators._build import build_loss, is_stochastic
from sknn.estimators._data import NO_WEIGHT, Data, Request, Sum
from sknn.estimators._targets import ClassTargets, Moments, RealTargets, Targets
from sknn.training.chunked import Chunk, ChunkedBatches

# About how many samples stand for all where a glance at the data is enough.
_SAMPLE_SIZE = 512
_ARRAY_LIKE = ("shape", "__array__", "__dataframe__", "columns")


@dataclass(frozen=True)
class Chunks:
    """What `fit` was given as chunks: an iterable that starts anew each time."""

    given: Any

    def __iter__(self) -> Iterator[tuple[int, Any, Any, Any]]:
        """Yield number, X, y and weights of each chunk."""
        for number, chunk in enumerate(self.given, 1):
            if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
                raise ValueError(
                    f"Chunk {number} must be a tuple (X, y) or (X, y, sample_weight), "
                    f"got {type(chunk).__name__}."
                )
            X, y, w = chunk if len(chunk) == 3 else (*chunk, None)
            yield number, X, y, w


def as_chunks(X: Any, y: Any) -> Chunks | None:
    """Return X as chunks; None where it is, or should have been, plain data."""
    if y is not None or isinstance(X, (str, bytes, dict)):
        return None
    if any(hasattr(X, name) for name in _ARRAY_LIKE):
        return None
    if hasattr(X, "__next__"):
        raise TypeError(
            f"fit needs chunks that can be gone through once for each epoch, but a "
            f"{type(X).__name__} can be gone through only once. Give a list of chunks, "
            "an object whose __iter__ starts anew each time, or call partial_fit for "
            "each chunk."
        )
    if isinstance(X, (list, tuple)):
        return Chunks(X) if X and _is_chunk(X[0]) else None
    return Chunks(X) if hasattr(X, "__iter__") else None


def refuse_chunks(estimator: Any, X: Any, y: Any) -> None:
    """Raise TypeError where an estimator that needs all data at once gets chunks."""
    if not hasattr(X, "__next__") and as_chunks(X, y) is not None:
        raise TypeError(
            f"{type(estimator).__name__} does not take chunks: give X and y whole. "
            "MLPClassifier, MLPRegressor and MLPEstimator take them."
        )


def _is_chunk(item: Any) -> bool:
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        return False
    return len(np.shape(item[0])) == 2 or sparse.issparse(item[0])


@contextmanager
def _naming(number: int) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Chunk {number}: {error}") from error


@dataclass(frozen=True)
class ChunkedData:
    """Training data in chunks, after the first pass.

    Parameters
    ----------
    draft : estimator
        Checks and encodes each chunk.
    chunks : Chunks
        The data.
    sizes : list of int
        Rows of each chunk.
    sample : Data
        Some samples, encoded, spread over all.
    factors : ndarray or None
        Weight of each class.
    total : float or None
        Sum of all weights, those of classes included; None where there are none.
    """

    draft: Any
    chunks: Chunks
    sizes: list[int]
    sample: Data
    factors: Array | None
    total: float | None

    @property
    def X(self) -> Any:
        """Input of the sample."""
        return self.sample.X

    @property
    def n_samples(self) -> int:
        """Number of samples of all chunks."""
        return sum(self.sizes)

    def mean_weight(self, rows: None = None) -> float:
        """Return the mean weight; raise where all are zero."""
        if self.total is None:
            return 1.0
        if not self.total > 0:
            raise ValueError(NO_WEIGHT)
        return self.total / self.n_samples

    def batches(
        self, mean: float, size: int, dtype: Any, table: Array | None, rows: None
    ) -> ChunkedBatches:
        """Return batches of all chunks, weights divided by `mean`."""
        few = self.sample.batches(mean, size, dtype, table, None)
        return ChunkedBatches(lambda: self._encoded(mean, dtype), self.n_samples, few)

    def _encoded(self, mean: float, dtype: Any) -> Iterator[Chunk]:
        draft, n_chunks = self.draft, 0
        for number, X, y, w in self.chunks:
            size = self.sizes[number - 1] if number <= len(self.sizes) else 0
            with _naming(number):
                X, y, w = _check(draft, X, y, w, type(draft._targets))
                if len(y) != size:
                    raise ValueError(
                        f"it has {len(y)} rows, but had {size} in the first pass. "
                        "Every epoch must see the same chunks."
                    )
                data = _encode(draft, X, y, w, self.factors)
            w = None if data.w is None else _column(data.w / mean, dtype)
            X, y = data.X, data.y
            del data
            yield X, y, w
            n_chunks = number
            del X, y, w  # before the next one is read
        if n_chunks < len(self.sizes):
            raise ValueError(
                f"There were {len(self.sizes)} chunks in the first pass, but only "
                f"{n_chunks} now. Every epoch must see the same chunks."
            )


def _column(w: Array, dtype: Any) -> Array:
    return w.astype(dtype)[:, None]


def _check(draft: Any, X: Any, y: Any, w: Any, kind: Any, reset: bool = False) -> Any:
    X, y = draft._check_data(X, y, kind, reset)
    if not reset and "_targets" in vars(draft):
        draft._targets.check_same(y)
    return X, y, draft._check_weights(X, w)


def _encode(draft: Any, X: Any, y: Any, w: Any, factors: Array | None) -> Data:
    codes = draft._targets.encode(y, draft._working_dtype())
    draft._loss.check_targets(codes)
    if factors is not None:
        w = factors[codes] if w is None else w * factors[codes]
    return Data(X.tocsr() if sparse.issparse(X) else X, y, codes, w)


def load_chunks(draft: Any, request: Request, goes_on: bool) -> ChunkedData:
    """Go through all chunks once; let the draft learn targets, loss and dtype."""
    _refuse(draft, request)
    kind = type(draft._targets) if goes_on else draft._targets_type(None, None)
    if not goes_on:
        vars(draft).pop("_targets", None)
    seen = FirstPass(kind, counts_classes=draft.class_weight is not None)
    for number, X, y, w in request.X:
        with _naming(number):
            first = not goes_on and number == 1
            seen.add(*_check(draft, X, y, w, kind, reset=first))
        del X, y, w  # before the next one is read
    if not seen.sizes:
        raise ValueError("There is no chunk to fit on: the iterable is empty.")
    if goes_on:
        if draft.warm_start:
            seen.require_classes_of(draft._targets)
    else:
        draft._targets = seen.targets()
        draft._dtype = np.dtype(seen.dtype if draft.dtype is None else draft.dtype)
    draft._loss = build_loss(draft, draft._targets)
    if draft.normalize_y and not goes_on:
        draft._targets = draft._targets.with_moments(seen.moments, draft._loss)
    factors, total = seen.weigh(draft.class_weight, draft._targets)
    sample = _encode(draft, *seen.sample.joined(), factors)
    return ChunkedData(draft, request.X, seen.sizes, sample, factors, total)


def _refuse(draft: Any, request: Request) -> None:
    """Raise ValueError for what chunks cannot be combined with."""
    if request.sample_weight is not None:
        raise ValueError(
            "sample_weight comes within the chunks, as (X, y, sample_weight)."
        )
    if request.groups is not None:
        raise ValueError("groups cannot be given with chunks: nothing is held out.")
    if not is_stochastic(draft.solver):
        raise ValueError(
            f"solver={draft.solver!r} needs all samples at once and cannot be fitted "
            "on chunks. Use 'adam' or 'sgd'."
        )
    if draft.early_stopping and request.X_val is None:
        raise ValueError(
            "early_stopping=True holds nothing out of chunks: give X_val and y_val."
        )
    if draft._encodes():
        raise ValueError(
            "categorical_features, missing and scaling are learned from all samples at "
            "once and cannot be fitted on chunks. Encode and scale X before."
        )
    if getattr(draft, "task", None) == "auto":
        raise ValueError(
            "task='auto' looks at all of y at once: set task='classification' or "
            "task='regression' to fit on chunks."
        )


@dataclass
class FirstPass:
    """What is learned of chunks as they pass.

    Parameters
    ----------
    kind : type of ClassTargets or RealTargets
        What y is.
    counts_classes : bool
        Whether to sum the weights of each class.
    """

    kind: Any
    counts_classes: bool
    sizes: list[int] = field(default_factory=list)
    dtype: Any = None
    sample: Sample = field(default_factory=lambda: Sample())
    moments: Moments = field(default_factory=Moments)
    _found: Any = None
    _sum: Sum = field(default_factory=Sum)
    _of_classes: dict[Any, float] = field(default_factory=dict)
    _weighted: bool = False

    def add(self, X: Any, y: Array, w: Array | None) -> None:
        """Learn from one chunk, which has been checked."""
        if self.sizes and self._weighted != (w is not None):
            raise ValueError("either all chunks have a sample_weight, or none.")
        self._weighted = w is not None
        self._add_targets(y)
        self.sizes.append(len(y))
        known = X.dtype if self.dtype is None else self.dtype
        self.dtype = np.result_type(known, X.dtype)
        if w is not None:
            self._sum.add(w)
        if self.counts_classes and isinstance(self._found, ClassTargets):
            self._count(y, w)
        if isinstance(self._found, RealTargets):
            self.moments.add(y, w)
        self.sample.add(X, y, w)

    def _add_targets(self, y: Array) -> None:
        new, old = self.kind.learn(y), self._found
        if old is None:
            self._found = new
            return
        classes = isinstance(new, ClassTargets) and not new.multilabel
        known = isinstance(old, ClassTargets) and not old.multilabel
        if classes != known or not (classes or new.n_outputs == old.n_outputs):
            raise ValueError("y has another form than in the chunks before.")
        if classes:
            labels = np.concatenate([old.classes, new.classes])
            self._found = self.kind.learn(labels)

    def _count(self, y: Array, w: Array | None) -> None:
        if y.ndim == 2:
            raise ValueError(
                "class_weight cannot be used with a multilabel y in chunks: give each "
                "chunk a sample_weight."
            )
        labels, codes = np.unique(y, return_inverse=True)
        for label, total in zip(labels, np.bincount(codes, w), strict=True):
            self._of_classes[label] = self._of_classes.get(label, 0.0) + float(total)

    def targets(self) -> Targets:
        """Return what y is."""
        return self._found

    def require_classes_of(self, targets: Targets) -> None:
        """Raise ValueError where not all classes of a warm start have been seen."""
        if isinstance(targets, ClassTargets) and not targets.multilabel:
            targets.check_same(self._found.classes, exactly=True)

    def weigh(
        self, class_weight: Any, targets: Targets
    ) -> tuple[Array | None, float | None]:
        """Return the factors of classes, and the sum of all weights with them."""
        if class_weight is None or not isinstance(targets, ClassTargets):
            return None, self._sum.total() if self._weighted else None
        counts = np.array([self._of_classes.get(c, 0.0) for c in targets.classes])
        factors = targets.class_factors(class_weight, np.arange(len(counts)), counts)
        return factors, float(factors @ counts)


@dataclass
class Sample:
    """Every so many-th sample of all chunks, no more than a thousand."""

    _parts: list[Any] = field(default_factory=list)
    _step: int = 1
    _n_seen: int = 0
    _n_kept: int = 0

    def add(self, X: Any, y: Array, w: Array | None) -> None:
        """Keep some samples of one chunk."""
        n = len(y)
        while self._n_kept + n // self._step > 2 * _SAMPLE_SIZE:
            self._thin_out()
        rows = np.arange(-self._n_seen % self._step, n, self._step)
        self._n_seen += n
        if len(rows):
            rows_of_X = X.tocsr()[rows] if sparse.issparse(X) else X[rows]
            self._parts.append((rows_of_X, y[rows], None if w is None else w[rows]))
            self._n_kept += len(rows)

    def _thin_out(self) -> None:
        self._step *= 2
        if self._parts:
            X, y, w = self.joined()
            self._parts = [(X[::2], y[::2], None if w is None else w[::2])]
            self._n_kept = -(-self._n_kept // 2)

    def joined(self) -> tuple[Any, Array, Array | None]:
        """Return input, targets and weights of all samples kept."""
        X, y, w = zip(*self._parts, strict=True)
        stack = sparse.vstack(X, format="csr") if sparse.issparse(X[0]) else None
        weights = None if w[0] is None else np.concatenate(w)
        return np.concatenate(X) if stack is None else stack, np.concatenate(y), weights
