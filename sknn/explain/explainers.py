"""Explainers with shap's calling conventions, for code that is written against them.

Each asks `explain` with one method; none computes anything itself.
"""

from __future__ import annotations

import functools
import inspect
import pickle
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sknn.explain._alignment import align, fitted_names
from sknn.explain._explain import METHODS, explain
from sknn.explain._optional import require
from sknn.explain._outputs import ModelOutput, RawOutput, raw_output, select_outputs
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = [
    "DeepExplainer",
    "ExactExplainer",
    "GradientExplainer",
    "KernelExplainer",
    "LimeExplainer",
    "LinearExplainer",
    "PermutationExplainer",
    "as_shap_model",
]


@dataclass(frozen=True)
class ShapModel:
    """The outputs of an estimator as shap's own explainers want them.

    Parameters
    ----------
    raw : RawOutput
        The method of the fitted estimator.
    output : ModelOutput or None
        The chosen columns; None where only an output tells how many there are.
    target : label, int, list or None
        What `output` was chosen by.
    """

    raw: RawOutput
    output: ModelOutput | None
    target: Any

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs, None where a single one or none is known."""
        names = None if self.output is None else self.output.names
        return None if names is None or len(names) == 1 else list(names)

    def __call__(self, X: Any) -> np.ndarray:
        """Return the outputs (n,) or (n, C) of rows that shap has put together."""
        estimator = self.raw.estimator
        X = align(estimator, X, "X", fitted_names(estimator))
        output = self.output
        if output is None:
            output = select_outputs(self.raw, self.raw(X[:1]), self.target)
        values = output(X)
        return values[:, 0] if values.shape[1] == 1 else values


def as_shap_model(
    estimator: Any, output: str = "auto", target: Any = None
) -> ShapModel:
    """Make a callable object of an estimator, for the explainers of the shap package.

    It takes arrays and frames, knows the names of its outputs, pickles, and is no bound
    method: those shap copies and strips of their column names, or fails to.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained; see `explain`.
    target : label, int or list, optional
        The classes or outputs to explain; see `explain`.

    Returns
    -------
    model : callable
        Maps rows (n, d) to outputs (n,) or (n, C); has `output_names`.

    Raises
    ------
    TypeError
        If the estimator is a function.
    ValueError
        If the estimator has no such output or target.

    Notes
    -----
    shap's maskers compute with what they get and take no strings. For tables with other
    columns than numbers use ``explain(..., method="shap:Exact")`` and the like.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sknn.explain import as_shap_model
    >>> X, y = load_iris(return_X_y=True)
    >>> model = as_shap_model(LogisticRegression(max_iter=500).fit(X, y))
    >>> model.output_names
    ['0', '1', '2']
    >>> model(X[:2]).shape
    (2, 3)
    """
    _refuse_functions(estimator)
    raw = raw_output(estimator, output)
    if target is not None and isinstance(target, str) and target == "predicted":
        raise ValueError(
            "target='predicted' is another output for each row, which shap's "
            "explainers cannot have; use sknn.explain.explain"
        )
    probe = _probe(raw)
    chosen = None if probe is None else select_outputs(raw, probe, target)
    return ShapModel(raw, chosen, target)


def _probe(raw: RawOutput) -> np.ndarray | None:
    """Return an output of the shape that a classifier's have."""
    classes = getattr(raw.estimator, "classes_", None)
    if classes is None or raw.method == "predict":
        return None
    is_margin_of_two = raw.method == "decision_function" and len(classes) == 2
    return np.zeros(1 if is_margin_of_two else (1, len(classes)))


def _refuse_functions(model: Any) -> None:
    if callable(model) and not hasattr(model, "fit"):
        name = getattr(model, "__name__", type(model).__name__)
        raise TypeError(
            f"model must be a fitted estimator or pipeline, got the function {name!r}: "
            "give the estimator itself and choose among its outputs with output=, or "
            "take shap's explainers for black boxes, such as shap.PermutationExplainer"
        )


class Explainer:
    """Base of the explainers: a model and a background, to be called with rows.

    Objects are instances of shap.Explainer, too, which is imported for the first one.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model; a pipeline together with its preprocessing.
    masker : array, DataFrame or shap masker
        The rows to compare with, all of which are used. Of shap's maskers Independent
        will do, and what shap.sample and shap.kmeans return.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained.
    target : label, int, list or "predicted", optional
        The classes or outputs to explain.
    random_state : int, Generator or RandomState, optional
        Seed of all random draws. One is drawn if there is none, so that an explainer
        gives the same values whenever it is called.
    **options
        Options of `explain` and of its method.
    """

    method: ClassVar[str]

    def __init__(
        self,
        model: Any,
        masker: Any,
        *,
        output: str = "auto",
        target: Any = None,
        random_state: Any = None,
        **options: Any,
    ) -> None:
        self.__class__ = _with_shap(type(self))  # type: ignore[arg-type] # hashable
        _refuse_functions(model)
        raw_output(model, output)
        _check_options(self.method, options)
        self.model = model
        self.masker = _rows_of(masker)
        self.output = output
        self.target = target
        self.random_state = seed_of(random_state)
        self.options = options

    def __call__(self, X: Any, *, silent: bool = True) -> shap.Explanation:
        """Explain rows; nothing is ever printed, `silent` or not."""
        return explain(
            self.model,
            X,
            background=self.masker,
            method=self.method,
            output=self.output,
            target=self.target,
            random_state=self.random_state,
            **self.options,
        )

    def shap_values(self, X: Any) -> np.ndarray:
        """Return values (n, d) for one output, (n, d, C) for several.

        A single row (d,) as an array gives (d,) or (d, C).
        """
        if isinstance(X, np.ndarray) and X.ndim == 1:
            return self(X[None]).values[0]
        return self(X).values

    def explain_row(self, *row_args: Any, **settings: Any) -> dict[str, Any]:
        """Return what shap's explainers say of a row, an array (d,); see shap."""
        explanation = self(np.asarray(*row_args)[None])
        return {
            "values": explanation.values[0],
            "expected_values": explanation.base_values[0],
            "mask_shapes": [explanation.data[0].shape],
            "main_effects": None,
            "clustering": None,
        }

    @property
    def expected_value(self) -> float | np.ndarray:
        """Mean output over the background: a number, or (C,) for several outputs.

        With ``target="predicted"`` those of all classes.
        """
        target = None if self._explains_predicted else self.target
        values = as_shap_model(self.model, self.output, target)(self.masker)
        if self._explains_predicted and values.ndim == 1:
            values = np.column_stack([-values, values])
        mean = values.mean(axis=0)
        return float(mean) if mean.ndim == 0 else mean

    @property
    def _explains_predicted(self) -> bool:
        return isinstance(self.target, str) and self.target == "predicted"

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs, None where there is one or none is known."""
        target = None if self._explains_predicted else self.target
        return as_shap_model(self.model, self.output, target).output_names

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the columns that the model was fitted on, if it knows them."""
        return fitted_names(self.model)

    def save(self, out_file: Any, *args: Any) -> None:
        """Write the explainer to an open file, by pickle."""
        pickle.dump(self, out_file)

    @classmethod
    def load(cls, in_file: Any, *args: Any) -> Any:
        """Read an explainer from an open file; not from one that you do not trust."""
        return pickle.load(in_file)

    def __reduce__(self) -> tuple[Any, ...]:
        # the object's own class has no name by which it could be found
        return _blank, (type(self).__mro__[1],), self.__dict__

    def __str__(self) -> str:
        return f"sknn.explain.{type(self).__name__}()"


class PermutationExplainer(Explainer):
    """Shapley values by walks through random orders; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method, such as ``rounds``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sknn.explain import PermutationExplainer
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500).fit(X, y)
    >>> explainer = PermutationExplainer(model, X[::3], random_state=0)
    >>> explainer.shap_values(X[:2]).shape
    (2, 4, 3)
    """

    method = "permutation"


class ExactExplainer(Explainer):
    """Shapley values by all coalitions of up to 16 columns; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method.
    """

    method = "exact"


class DeepExplainer(Explainer):
    """DeepLIFT over a background, for networks; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method.
    """

    method = "deep"


class GradientExplainer(Explainer):
    """Expected gradients, for networks; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method, such as ``n_nodes``.
    """

    method = "expected_gradients"


class KernelExplainer(Explainer):
    """Shapley values by a regression on coalitions; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method, such as ``n_coalitions``.
    """

    method = "kernel"


class LinearExplainer(Explainer):
    """Shapley values of linear models; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method.
    """

    method = "linear"


class LimeExplainer(Explainer):
    """Contributions to a linear model around each row; see `explain`.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted model.
    masker : array, DataFrame or shap masker
        The background, all of whose rows are used.
    output, target, random_state : as in `explain`
        What is explained, and the seed.
    **options
        Further keywords of `explain` and of its method, such as ``num_samples``.
    """

    method = "lime"

    @property
    def expected_value(self) -> Any:
        """There is none: base values are the intercepts of local models."""
        raise AttributeError(
            "LIME has no expected value; each row has the intercept of its own model "
            "in explanation.base_values"
        )


@functools.cache
def _with_shap(cls: type) -> type:
    """Make the subclass of a class that is one of shap's, too."""
    if issubclass(cls, require("shap").Explainer):
        return cls
    names = {"__module__": cls.__module__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, require("shap").Explainer), names)


def _blank(cls: type) -> Any:
    return object.__new__(_with_shap(cls))


def _check_options(method: str, options: dict[str, Any]) -> None:
    """Refuse unknown options when the explainer is made, not when it is called."""
    own = {"background", "method", "output", "target", "random_state"}
    known = [
        p.name
        for function in (explain, METHODS[method])
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name not in own
    ]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise TypeError(f"method={method!r} takes the options {known}, got {unknown}")


def _rows_of(masker: Any) -> Any:
    """Return the rows of a shap masker, or the table that was given."""
    if masker is None:
        raise ValueError("masker must be a table of rows to compare with, got None")
    kind = type(masker).__name__
    if not type(masker).__module__.startswith("shap."):
        return masker
    data: Any = getattr(masker, "data", None)
    weights = np.asarray(getattr(masker, "weights", [1.0]))
    is_plain = kind in ("Independent", "DenseData") and np.ndim(data) == 2
    if not is_plain or np.ptp(weights) > 1e-12 * weights.max():
        raise ValueError(
            f"masker must be a table or shap.maskers.Independent, got {kind}: "
            "clusters, weights and imputed values are not for this explainer"
        )
    if len(masker.data) == getattr(masker, "max_samples", -1):
        warnings.warn(
            f"shap's masker keeps {len(masker.data)} rows, perhaps of more: give the "
            "table itself to have all of its rows used",
            UserWarning,
            stacklevel=3,
        )
    if getattr(masker, "output_dataframe", False):
        import pandas as pd

        return pd.DataFrame(data, columns=list(masker.feature_names)).infer_objects()
    return data
