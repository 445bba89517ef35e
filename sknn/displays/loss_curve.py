"""LossCurveDisplay: what training did from epoch to epoch.

Collects the histories of fitted estimators and draws them; measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from sknn._array import Array
from sknn.displays._curves import Curve, named, read_curve
from sknn.displays._reading import COLOURS, axes, pyplot
from sknn.displays._search import candidates

_LABELS = {
    "loss": "Loss",
    "score": "Score",
    "mistakes": "Mistakes",
    "learning_rate": "Learning rate",
    "time": "Seconds",
}
_FEW = 4  # names in a legend that has room within the axes


class LossCurveDisplay:
    """Training and validation curves against epochs.

    Make one with `from_estimator`, `from_estimators` or `from_search`.

    Parameters
    ----------
    curves : sequence of Curve
        What estimators recorded, one for each of them.
    metric : str, default="loss"
        What the curves hold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves are.
    figure_ : matplotlib Figure
        The figure around them.
    score_ax_ : matplotlib Axes or None
        Axes for validation scores on the right, where there are only scores.
    lines_ : list of matplotlib Line2D
        Training curves.
    validation_lines_ : list of matplotlib Line2D
        Validation curves, dashed.
    member_lines_ : list of matplotlib Line2D
        Curves of the networks of ensembles, thin.
    best_markers_ : list of matplotlib Line2D
        Marks of the epochs that early stopping chose.
    legend_ : matplotlib Legend or None
        The legend.

    See Also
    --------
    GradientFlowDisplay : What went on inside while the loss fell, or did not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.displays import LossCurveDisplay
    >>> clf = MLPClassifier(
    ...     (10,), learning_rate="cosine", learning_rate_init=0.02, max_iter=30,
    ...     early_stopping=True, n_iter_no_change=30, random_state=0,
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = LossCurveDisplay.from_estimator(clf)
    >>> display.ax_.get_ylabel()
    'Loss'
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['training', 'validation', 'best epoch (14)']
    """

    def __init__(self, curves: Sequence[Curve], *, metric: str = "loss") -> None:
        self.curves = list(curves)
        self.metric = metric

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metric: str = "auto",
        name: str | None = None,
        ax: Any = None,
        log_scale: bool = False,
        **kwargs: Any,
    ) -> LossCurveDisplay:
        """Draw what one fitted estimator recorded.

        Parameters
        ----------
        estimator : estimator
            A fitted network, a pipeline that ends with one, or a fitted search. Of an
            ensemble the networks are drawn thin and their mean is drawn thick, over
            the epochs that all of them have.
        metric : str, default="auto"
            "loss", "score", "mistakes" (of perceptrons), or another column of
            ``history_`` with one number an epoch. "auto" is the loss, or the mistakes
            where there is no loss.
        name : str or None, default=None
            Name for the legend.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        log_scale : bool, default=False
            Whether the axis of values is logarithmic.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no network.
        ValueError
            If it did not record this metric.
        """
        curve, metric = read_curve(estimator, metric, name)
        curve = replace(curve, is_named=name is not None)
        return cls([curve], metric=metric).plot(ax, log_scale=log_scale, **kwargs)

    @classmethod
    def from_estimators(
        cls,
        estimators: Any,
        *,
        metric: str = "auto",
        ax: Any = None,
        log_scale: bool = False,
        **kwargs: Any,
    ) -> LossCurveDisplay:
        """Draw what several fitted estimators recorded.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimator
            Fitted estimators with their names for the legend; in a list they go by
            their classes.
        metric : str, default="auto"
            See `from_estimator`; the same for all of them.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        log_scale : bool, default=False
            Whether the axis of values is logarithmic.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.
        """
        found = [
            read_curve(estimator, metric, name) for name, estimator in named(estimators)
        ]
        metrics = list(dict.fromkeys(metric for _, metric in found))
        if len(metrics) > 1:
            raise ValueError(
                f"estimators recorded different things, {metrics}: draw them apart, or "
                "name a metric that all of them have."
            )
        curves = [curve for curve, _ in found]
        return cls(curves, metric=metrics[0]).plot(ax, log_scale=log_scale, **kwargs)

    @classmethod
    def from_search(
        cls,
        search: Any,
        X: Any,
        y: Any = None,
        *,
        n_best: int | None = None,
        metric: str = "auto",
        ax: Any = None,
        log_scale: bool = False,
        fit_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> LossCurveDisplay:
        """Fit each candidate of a search once and draw what it recorded.

        Searches keep scores, not histories; so each candidate is cloned and fitted
        anew, on all of X.

        Parameters
        ----------
        search : GridSearchCV or another fitted search
            Its candidates are drawn in the order of their ranks, labelled by the
            parameters that differ.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        n_best : int or None, default=None
            How many candidates to fit; None is all that have a score.
        metric : str, default="auto"
            See `from_estimator`.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        log_scale : bool, default=False
            Whether the axis of values is logarithmic.
        fit_params : dict or None, default=None
            Passed to `fit`, beside X and y.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.
        """
        fitted = {}
        for label, params in candidates(search, n_best):
            model = clone(search.estimator).set_params(**clone(params, safe=False))
            fitted[label] = model.fit(X, y, **(fit_params or {}))
        return cls.from_estimators(
            fitted, metric=metric, ax=ax, log_scale=log_scale, **kwargs
        )

    def plot(
        self, ax: Any = None, *, log_scale: bool = False, **kwargs: Any
    ) -> LossCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        log_scale : bool, default=False
            Whether the axis of values is logarithmic.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for each curve.

        Returns
        -------
        self : LossCurveDisplay
            The display.
        """
        own_figure = ax is None
        if log_scale:
            self._check_positive()
        kwargs = _line_style(kwargs)
        height = max(4.0, 0.2 * (len(self.curves) + 4))
        ax = axes(ax, (6.4 + self._room_for_legend(), height))
        self.ax_, self.figure_ = ax, ax.figure
        self.score_ax_: Any = None
        self.lines_: list[Any] = []
        self.validation_lines_: list[Any] = []
        self.member_lines_: list[Any] = []
        self.best_markers_: list[Any] = []
        for curve, colour in zip(self.curves, self._colours(), strict=True):
            self._draw(curve, {"color": colour, **kwargs})
        self._label(log_scale)
        self._add_legend(own_figure)
        return self

    def _room_for_legend(self) -> float:
        """Return the inches that a legend beside the curves takes."""
        n = len(self.curves)
        if n <= _FEW - 2:
            return 0.0
        return 0.9 + 0.07 * min(max(len(curve.name) for curve in self.curves), 60)

    def _check_positive(self) -> None:
        values = [
            part.min()
            for curve in self.curves
            for part in map(_finite, (curve.training, curve.validation))
            if part.size
        ]
        if values and min(values) <= 0:
            raise ValueError(
                f"log_scale=True needs values above zero, but {self.metric} goes down "
                f"to {min(values):.3g}. Set log_scale=False."
            )

    def _colours(self) -> list[Any]:
        n = len(self.curves)
        if n <= len(COLOURS):
            return list(COLOURS[:n])
        return list(pyplot().get_cmap("viridis")(np.linspace(0, 0.92, n)))

    def _draw(self, curve: Curve, style: dict[str, Any]) -> None:
        several = len(self.curves) > 1
        training, validation, score = _labels(curve, several)
        second = dict(style)
        if not several and style["color"] == COLOURS[0]:
            second["color"] = COLOURS[1]
        for member in curve.members:
            self._draw_member(member, style, second)
        base: dict[str, Any] = {"linewidth": 1.8}
        if len(curve.epochs) == 1:  # a point, which a line does not show
            base |= {"marker": "o", "markersize": 4}
        dashed = {"linestyle": "--", **base, **second}
        if curve.training is not None:
            solid = {**base, **style, "label": training}
            self.lines_ += self.ax_.plot(curve.epochs, curve.training, **solid)
        if curve.validation is not None:
            dashed["label"] = validation
            line = self.ax_.plot(curve.epochs, curve.validation, **dashed)
            self.validation_lines_ += line
        if curve.score is not None:
            dashed["label"] = score
            self.validation_lines_ += self._score_axes().plot(
                curve.epochs, curve.score, **dashed
            )
        self._mark_best(curve, several)

    def _draw_member(
        self, member: Curve, style: dict[str, Any], second: dict[str, Any]
    ) -> None:
        thin = {"linewidth": 0.7, "alpha": 0.45, "label": "_member"}
        if member.training is not None:
            line = self.ax_.plot(member.epochs, member.training, **{**style, **thin})
            self.member_lines_ += line
        if member.validation is not None:
            thin |= {"linestyle": "--"}
            line = self.ax_.plot(member.epochs, member.validation, **{**second, **thin})
            self.member_lines_ += line

    def _score_axes(self) -> Any:
        if self.score_ax_ is None:
            self.score_ax_ = self.ax_.twinx()
            self.score_ax_.set_ylabel("Validation score")
        return self.score_ax_

    def _mark_best(self, curve: Curve, several: bool) -> None:
        at = np.flatnonzero(curve.epochs == curve.best_epoch)
        line = self.validation_lines_[-1] if self.validation_lines_ else None
        values = curve.validation if curve.validation is not None else curve.score
        if not len(at) or line is None or values is None:
            return
        label = "_best" if several else f"best epoch ({curve.best_epoch})"
        self.best_markers_ += line.axes.plot(
            curve.epochs[at],
            values[at],
            marker="o",
            linestyle="none",
            markersize=7,
            markerfacecolor="white",
            markeredgewidth=1.8,
            markeredgecolor=line.get_color(),
            zorder=line.get_zorder() + 1,
            label=label,
        )

    def _label(self, log_scale: bool) -> None:
        from matplotlib.ticker import MaxNLocator

        units = list(dict.fromkeys(curve.unit for curve in self.curves))
        self.ax_.set_xlabel(units[0] if len(units) == 1 else "Epoch or iteration")
        self.ax_.set_ylabel(_LABELS.get(self.metric, self.metric))
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if log_scale:
            self.ax_.set_yscale("log")

    def _add_legend(self, own_figure: bool) -> None:
        handles, labels = self.ax_.get_legend_handles_labels()
        if self.score_ax_ is not None:
            more = self.score_ax_.get_legend_handles_labels()
            handles, labels = handles + more[0], labels + more[1]
        if len(self.curves) > 1:
            for handle, label in self._styles():
                handles.append(handle)
                labels.append(label)
        if not handles:
            self.legend_ = None
            return
        where: dict[str, Any] = {"loc": "best"}
        crowded = len(handles) > _FEW or max(map(len, labels)) > 40
        if self.score_ax_ is not None:
            # "best" looks at the lines of one of the axes only
            where = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.01)}
            where |= {"ncols": min(3, len(handles))}
        elif own_figure and crowded:
            where = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)}
        size = "small" if len(handles) > _FEW else "medium"
        self.legend_ = self.ax_.legend(handles, labels, fontsize=size, **where)
        for text in self.legend_.get_texts():
            text.set_parse_math(False)

    def _styles(self) -> list[tuple[Any, str]]:
        """Return what line styles mean, where colours mean estimators."""
        from matplotlib.lines import Line2D

        found = []
        if self.validation_lines_ and self.lines_:
            found.append((Line2D([], [], color="grey"), "training"))
            dashed = Line2D([], [], color="grey", linestyle="--")
            right = "validation" if self.score_ax_ is None else "validation score"
            found.append((dashed, right))
        if self.best_markers_:
            ring: dict[str, Any] = {"marker": "o", "linestyle": "none"}
            ring |= {"markerfacecolor": "white", "markeredgecolor": "grey"}
            found.append((Line2D([], [], **ring), "best epoch"))
        return found


def _labels(curve: Curve, several: bool) -> tuple[str, str, str]:
    """Return labels of training, validation and score; those with _ are not shown."""
    if several:
        name = curve.name
        alone = curve.training is None
        return name, name if alone else f"_validation of {name}", f"_score of {name}"
    front = f"{curve.name}, " if curve.is_named else ""
    mean = f", mean of {len(curve.members)}" if curve.members else ""
    return (
        f"{front}training{mean}",
        f"{front}validation{mean}",
        f"{front}validation score{mean} (right)",
    )


def _line_style(given: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of lines under their full names."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    if "label" in given:
        raise TypeError(
            "Labels are made from names: pass name to from_estimator, or a dict to "
            "from_estimators, instead of label."
        )
    return normalize_kwargs(given, Line2D)


def _finite(values: Array | None) -> Array:
    values = np.empty(0) if values is None else np.asarray(values)
    return values[np.isfinite(values)]
