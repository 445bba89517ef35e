"""Targets: labels to codes and back, raw predictions to labels, checks of y.

Everything that an estimator knows about y is here; the networks below see rows of
numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sknn._array import Array, largest
from sknn.estimators._data import NO_WEIGHT, rows_of
from sknn.estimators._reading import as_plain, read_floats, reading
from sknn.losses import Loss


@dataclass(frozen=True)
class ClassTargets:
    """Class labels, or a multilabel indicator.

    Parameters
    ----------
    classes : ndarray
        Sorted labels; for multilabel targets the indices of the columns.
    multilabel : bool, default=False
        Whether y is an indicator matrix.
    """

    classes: Array
    multilabel: bool = False

    @classmethod
    def check(cls, y: Any) -> Any:
        """Return labels as a vector or an indicator; raise where y is neither."""
        with reading("y"):
            return cls._checked(as_plain("y", y))

    @staticmethod
    def _checked(y: Any) -> Any:
        if not sparse.issparse(y):
            assert_all_finite(np.asarray(y), input_name="y")
        kind = type_of_target(y, input_name="y")
        if not kind.startswith(("binary", "multi")):
            check_classification_targets(y)  # raises scikit-learn's message
        if kind == "multiclass-multioutput":
            # as scikit-learn
            raise ValueError(
                "Multioutput target data is not supported with label binarization"
            )
        if kind.startswith("multilabel"):
            return y.toarray() if sparse.issparse(y) else np.asarray(y)
        return column_or_1d(y, warn=True)

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> ClassTargets:
        """Return the targets that `y`, or all the labels in `classes`, describe."""
        if y.ndim == 2:
            return cls(np.arange(y.shape[1]), multilabel=True)
        with reading("y"):
            targets = cls(np.unique(y if classes is None else classes))
        if classes is not None:
            targets.check_same(y)
        return targets

    @staticmethod
    def require_classes(y: Any, classes: Any) -> None:
        """Raise ValueError where a first partial_fit does not name all labels."""
        if classes is None and y.ndim == 1:
            raise ValueError("classes must be passed on the first call to partial_fit.")

    def check_same(self, y: Any, classes: Any = None, exactly: bool = False) -> None:
        """Raise ValueError where `y` has other labels, or `exactly` not all of them."""
        if classes is not None and not np.array_equal(
            self.classes, np.unique(np.asarray(classes))
        ):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to "
                f"partial_fit, was: {self.classes!r}"
            )
        labels = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
        if (y.ndim == 2) != self.multilabel:
            known = "an indicator" if self.multilabel else "one label per sample"
            raise ValueError(f"y must be {known} as in the previous call to fit.")
        if exactly and set(labels) != set(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes}, `y` has {labels}"
            )
        if len(np.setdiff1d(labels, self.classes)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes}. 'y' has {labels}."
            )

    @property
    def n_outputs(self) -> int:
        """Number of raw outputs: one for two classes, else one per class."""
        n = len(self.classes)
        return n if self.multilabel or n > 2 else 1

    @property
    def loss(self) -> str:
        """Name of the default loss."""
        several = self.n_outputs > 1 and not self.multilabel
        return "multinomial_log_loss" if several else "binary_log_loss"

    def table(self, dtype: Any) -> Array | None:
        """Return the target row of each code; None where y is not encoded."""
        if self.multilabel:
            return None
        n = len(self.classes)
        return np.eye(n, dtype=dtype) if n > 2 else np.arange(n, dtype=dtype)[:, None]

    def normalized(self, y: Any, w: Array | None, loss: Loss) -> ClassTargets:
        """Raise ValueError: labels have no mean."""
        raise ValueError("normalize_y=True cannot be used where y holds classes.")

    def with_moments(self, moments: Moments, loss: Loss) -> ClassTargets:
        """Raise ValueError, likewise."""
        return self.normalized(None, None, loss)

    def encode(self, y: Any, dtype: Any) -> Array:
        """Return codes of labels, or the indicator as numbers of `dtype`."""
        return y.astype(dtype) if self.multilabel else np.searchsorted(self.classes, y)

    def predict(self, raw: Array, loss: Loss) -> Array:
        """Return the labels that raw predictions choose."""
        if self.multilabel:
            return (raw > 0).astype(int)
        if len(self.classes) == 1:
            return np.repeat(self.classes, len(raw))
        several = raw.shape[-1] > 1
        chosen = raw.argmax(axis=-1) if several else (raw[:, 0] > 0).astype(int)
        return self.classes[chosen]

    def scores(self, raw: Array) -> Array:
        """Return raw predictions, a vector where one number tells two classes apart."""
        return raw if self.multilabel or raw.shape[1] > 1 else raw[:, 0]

    def probabilities(self, raw: Array, loss: Loss) -> Array:
        """Return one column of probabilities per class; may write over `raw`."""
        if len(self.classes) == 1 and not self.multilabel:
            return np.ones_like(raw)
        p = loss.link_inverse(raw)
        return np.hstack([1 - p, p]) if self.n_outputs < len(self.classes) else p

    def score(self, y: Any, predicted: Array, w: Array | None) -> float:
        """Return the accuracy of predicted labels."""
        from sklearn.metrics import accuracy_score

        return float(accuracy_score(y, predicted, sample_weight=w))

    @staticmethod
    def quick_score(y: Array, predicted: Array, w: Array | None) -> float:
        """Return `score` of arrays known to fit, at a hundredth of its fixed cost."""
        right = y == predicted
        right = right.all(axis=1) if right.ndim == 2 else right
        return float(np.average(right, weights=w))

    def weigh(
        self,
        class_weight: Any,
        codes: Array,
        w: Array | None,
        rows: Array | None = None,
    ) -> Array | None:
        """Return sample weights `w` times the weights of the classes in `codes`.

        What balances the classes is found on `rows`; None takes all.
        """
        if class_weight is None:
            return w
        check_class_weight(class_weight, self.multilabel)
        if self.multilabel:
            indices = rows if isinstance(class_weight, str) else None
            labels = codes.astype(int)
            factors = compute_sample_weight(class_weight, labels, indices=indices)
        else:
            seen = rows_of(codes, rows), rows_of(w, rows)
            factors = self.class_factors(class_weight, *seen)[codes]
        return factors if w is None else w * factors

    def class_factors(self, class_weight: Any, codes: Array, w: Any) -> Array:
        """Return the weight of each class, of samples with these codes and weights."""
        if not isinstance(class_weight, str):
            return compute_class_weight(
                class_weight, classes=self.classes, y=self.classes
            )
        # "balanced", where a weight of 2 counts like the sample twice
        counts = np.bincount(codes, weights=w, minlength=len(self.classes))
        present = counts > 0
        even = counts.sum() / present.sum()
        return np.divide(even, counts, out=np.zeros(len(counts)), where=present)


@dataclass
class Moments:
    """Mean and variance of numbers that may come in parts, in units of `unit`.

    References
    ----------
    Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances", COMPSTAT 1982, equation 2.1.
    """

    weight: float = 0.0
    center: Any = 0.0
    variance: Any = 0.0
    unit: Any = None
    single: bool = True

    def add(self, y: Array, w: Array | None) -> None:
        """Take in some more numbers."""
        self.unit = _unit(y) if self.unit is None else self.unit
        self.single = self.single and y.dtype == np.float32
        weight = float(len(y) if w is None else np.sum(w))
        if not weight:
            return
        rows = (y[:, None] if y.ndim == 1 else y) / self.unit
        center = np.average(rows, axis=0, weights=w)
        variance = np.average((rows - center) ** 2, axis=0, weights=w)
        if self.weight:
            share = weight / (self.weight + weight)
            distance = center - self.center
            center = self.center + share * distance
            variance = (1 - share) * self.variance + share * variance
            variance += share * (1 - share) * distance**2
        self.weight, self.center = self.weight + weight, center
        self.variance = variance


@dataclass(frozen=True)
class RealTargets:
    """Numbers: one column or several.

    Parameters
    ----------
    n_outputs : int
        Number of columns.
    center, scale : ndarray of shape (n_outputs,) or None, default=None
        What is subtracted from y, and by what it is divided then.
    """

    n_outputs: int
    center: Array | None = None
    scale: Array | None = None
    loss = "squared_error"

    @staticmethod
    def check(y: Any) -> Any:
        """Return numbers; a single column becomes a vector."""
        with reading("y"):
            y = check_array(
                as_plain("y", y), ensure_2d=False, dtype="numeric", input_name="y"
            )
            if y.dtype not in (np.float32, np.float64):
                y = y.astype(np.float64)
                assert_all_finite(y, input_name="y")
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> RealTargets:
        """Return the targets that `y` describes."""
        return cls(1 if y.ndim == 1 else y.shape[1])

    @staticmethod
    def require_classes(y: Any, classes: Any) -> None:
        """Numbers have no classes."""

    def check_same(self, y: Any, classes: Any = None, exactly: bool = False) -> None:
        """Raise ValueError where `y` has another number of columns."""
        given = 1 if y.ndim == 1 else y.shape[1]
        if given != self.n_outputs:
            raise ValueError(
                f"y has {given} outputs, but the previous call to fit had "
                f"{self.n_outputs}."
            )

    def table(self, dtype: Any) -> None:
        """Return None: numbers need no table."""
        return None

    def normalized(self, y: Any, w: Array | None, loss: Loss) -> RealTargets:
        """Return targets that let `y` have mean 0 and variance 1."""
        moments = Moments()
        moments.add(y, w)
        return self.with_moments(moments, loss)

    def with_moments(self, moments: Moments, loss: Loss) -> RealTargets:
        """Return targets that let y with these moments have mean 0 and variance 1."""
        if loss.link != "identity":
            raise ValueError(
                "normalize_y=True needs a loss that takes all numbers, but "
                f"{type(loss).__name__} has the link {loss.link!r}. Set it to False."
            )
        if not moments.weight:
            raise ValueError(NO_WEIGHT)
        spread, unit = np.sqrt(moments.variance), moments.unit
        scale = np.where(spread > 0, spread * unit, 1.0)
        kept = np.float32 if moments.single else np.float64
        center, scale = (moments.center * unit).astype(kept), scale.astype(kept)
        return replace(self, center=center, scale=scale)

    def encode(self, y: Any, dtype: Any) -> Array:
        """Return `y` with two dimensions in `dtype`."""
        y = np.asarray(y)
        y = y[:, None] if y.ndim == 1 else y
        if self.center is not None:
            with np.errstate(over="ignore"):
                y = (y - self.center) / self.scale
        if not largest(y) <= float(np.finfo(dtype).max):
            raise ValueError(
                f"y holds values too large for {np.dtype(dtype)}, up to "
                f"{largest(y):.3g}. Scale y, or set dtype='float64'."
            )
        return y.astype(dtype, copy=False)

    def restore(self, values: Array, moves: bool = True) -> Array:
        """Return values of y's units from those of the network.

        The outputs lie on axis 1, which goes if there is only one of them. `moves` is
        False for differences, such as standard deviations.
        """
        if self.center is not None and self.scale is not None:
            shape = (-1, *[1] * (values.ndim - 2))
            # In the precision of y, which a small spread around a large mean needs.
            values = values * self.scale.reshape(shape)
            if moves:
                values += self.center.reshape(shape)
        return values[:, 0] if self.n_outputs == 1 else values

    def predict(self, raw: Array, loss: Loss) -> Array:
        """Return predictions in the shape that y had; may write over `raw`."""
        return self.restore(loss.link_inverse(raw))

    def score(self, y: Any, predicted: Array, w: Array | None) -> float:
        """Return R2 of predictions."""
        from sklearn.metrics import r2_score

        return float(r2_score(y, predicted, sample_weight=w))

    @classmethod
    def quick_score(cls, y: Array, predicted: Array, w: Array | None) -> float:
        """Return `score` of arrays known to fit, at a hundredth of its fixed cost."""
        return r2(y, predicted, w)

    def weigh(
        self,
        class_weight: Any,
        codes: Array,
        w: Array | None,
        rows: Array | None = None,
    ) -> Array | None:
        """Return `w`: numbers have no classes to weigh."""
        return w


@dataclass(frozen=True)
class InputTargets(RealTargets):
    """The input itself, for networks that learn to reconstruct it."""

    @staticmethod
    def check(y: Any) -> Any:
        """Return numbers with two dimensions."""
        with reading("X"):
            return check_array(y, dtype="numeric", input_name="X")

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> InputTargets:
        """Return the targets that `y` describes."""
        return cls(y.shape[1])

    def predict(self, raw: Array, loss: Loss) -> Array:
        """Return predictions with two dimensions; may write over `raw`."""
        return loss.link_inverse(raw)

    def score(self, y: Any, predicted: Array, w: Array | None) -> float:
        """Return the share of the variance that predictions explain."""
        from sklearn.metrics import r2_score

        kind = "variance_weighted"
        return float(r2_score(y, predicted, sample_weight=w, multioutput=kind))

    @classmethod
    def quick_score(cls, y: Array, predicted: Array, w: Array | None) -> float:
        """Return `score` of arrays known to fit, at a hundredth of its fixed cost."""
        return r2(y, predicted, w, by_variance=True)


def check_class_weight(given: Any, multilabel: bool = False) -> None:
    """Raise ValueError unless all weights of classes are finite, none negative."""
    if isinstance(given, str) or given is None:
        return
    if not (isinstance(given, Mapping) or multilabel):
        raise ValueError(
            "class_weight as a list, of a dict for each output, is for multilabel y; "
            f"got {given!r} for y of one label per sample. Pass one dict."
        )
    for weights in [given] if isinstance(given, Mapping) else given:
        values = read_floats("class_weight", list(weights.values()))
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(
                f"class_weight must not be negative, NaN or infinite, got {given!r}."
            )


def _unit(y: Array) -> Any:
    """Return a power of two about as large as the largest of the numbers.

    Divided by it, the squares of huge numbers are finite, and no digit changes.
    """
    return np.float64(2.0) ** (np.frexp(largest(y))[1] - 1)


def r2(y: Array, predicted: Array, w: Array | None, by_variance: bool = False) -> float:
    """Return R2, of several outputs the mean, as `sklearn.metrics.r2_score` does."""
    if len(y) < 2:
        return np.nan
    unit = _unit(y)
    y, predicted = (
        a.reshape(len(a), -1).astype(np.float64) / unit for a in (y, predicted)
    )
    weights = np.ones(len(y)) if w is None else w
    left = weights @ (y - predicted) ** 2
    spread = weights @ (y - np.average(y, axis=0, weights=w)) ** 2
    varies = (y != y[0]).any(axis=0)  # whatever rounding has made of their spread
    scores = np.where(left > 0, 0.0, 1.0)
    scores[varies] = 1 - left[varies] / spread[varies]
    by_spread = by_variance and varies.any()
    return float(np.average(scores, weights=spread * varies if by_spread else None))


Targets = ClassTargets | RealTargets
