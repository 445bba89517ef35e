"""Networks of scikit-learn from ours, and ours from theirs."""

from __future__ import annotations

import numbers
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.linear_model import Perceptron
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators import (
    MLPAutoencoder,
    MLPClassifier,
    MLPRegressor,
    PerceptronClassifier,
)
from sknn.estimators._data import Request
from sknn.estimators._sklearn import patience_of, set_patience
from sknn.estimators._targets import ClassTargets, RealTargets, Targets
from sknn.estimators.mlp import BaseMLP
from sknn.export._chains import chain_of
from sknn.export._links import LINK_RULES
from sknn.export._memory import hand_over_memory, take_over_memory
from sknn.training.state import TrainingState

# What both have; all other values are plain.
_CHOICES = {
    "solver": ("adam", "sgd", "lbfgs"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
}
_DESCRIBE_THE_NETWORK = ("hidden_layer_sizes", "activation", "loss")
_PLAIN = (str, numbers.Number, np.bool_, np.random.RandomState)
# While shapes are learned nothing is drawn, printed or held out.
_QUIET = {
    "early_stopping": False,
    "random_state": 0,
    "verbose": False,
    "batch_size": "auto",
}
_FITTED: tuple[str, ...] = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_")
_FITTED += ("validation_scores_", "best_validation_score_")


def to_sklearn(estimator: Any) -> Any:
    """Return scikit-learn's estimator with the same predictions.

    Its parameters are those that scikit-learn has, too; a solver or schedule that it
    does not have becomes its default. With ``solver="adam"`` and ``"sgd"`` the memory
    of the optimiser comes along, and `partial_fit` goes on where ours has stopped.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, MLPEstimator or PerceptronClassifier
        Fitted.

    Returns
    -------
    theirs : estimator of scikit-learn
        A fitted MLPClassifier, MLPRegressor or Perceptron.

    Raises
    ------
    TypeError
        If the estimator is another one.
    ValueError
        If scikit-learn has no such network; says what stands in the way.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    from_sklearn : The way back.

    Notes
    -----
    Where `normalize_y` has changed the units of y, the last kernel changes them back;
    the optimiser, whose memory is in other units, then starts anew. Dropout has no part
    in predictions and is left out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.export import to_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> ours = MLPClassifier((8,), solver="lbfgs", alpha=1.0, tol=1e-2,
    ...                      random_state=0)
    >>> to_sklearn(ours.fit(X, y))
    MLPClassifier(alpha=1.0, hidden_layer_sizes=(8,), random_state=0, solver='lbfgs',
                  tol=0.01)
    """
    if isinstance(estimator, PerceptronClassifier):
        return _to_perceptron(estimator)
    if not isinstance(estimator, BaseMLP) or isinstance(estimator, MLPAutoencoder):
        raise TypeError(
            "to_sklearn takes MLPClassifier, MLPRegressor, MLPEstimator and "
            f"PerceptronClassifier of sknn, got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    chain = chain_of(estimator)
    theirs = _make_theirs(estimator)
    hidden = tuple(W.shape[1] for W in chain.coefs[:-1])
    given = {**_parameters(estimator, theirs), **_loss_of(theirs)}
    given |= {"hidden_layer_sizes": hidden, "activation": chain.activation}
    _let_it_learn_shapes(theirs, given, estimator._targets, chain.coefs[0])
    theirs.coefs_, theirs.intercepts_ = chain.coefs, chain.intercepts
    for name in _FITTED:
        setattr(theirs, name, getattr(estimator, name))
    set_patience(theirs, estimator._state.no_improvement_count)
    hand_over_memory(estimator, theirs)
    _copy_names(estimator, theirs)
    return theirs


def _make_theirs(estimator: BaseMLP) -> Any:
    """Return a new estimator of scikit-learn with the same link."""
    targets, loss = estimator._targets, estimator._loss
    if isinstance(targets, ClassTargets):
        if len(targets.classes) == 1:
            raise ValueError(
                "With one class scikit-learn's predict_proba has two columns, ours one."
            )
        expected: tuple[str, ...] = ("logistic", "softmax")
    else:
        expected = ("identity", "exp")
    fits = loss.link in expected and type(loss).link_inverse in LINK_RULES
    if not fits or loss.n_raw(targets.n_outputs) != targets.n_outputs:
        raise ValueError(
            f"{type(loss).__name__} stands in the way: what it predicts is not the "
            "output of the network."
        )
    if isinstance(targets, ClassTargets):
        return TheirClassifier()
    theirs = TheirRegressor()
    if loss.link == "exp":
        if "loss" not in theirs.get_params():
            raise ValueError(
                f"{type(loss).__name__} predicts an exponential, which scikit-learn's "
                "networks do from version 1.7 on."
            )
        theirs.set_params(loss="poisson")
    return theirs


def _loss_of(theirs: Any) -> dict[str, Any]:
    known = theirs.get_params()
    return {"loss": known["loss"]} if "loss" in known else {}


def _let_it_learn_shapes(
    theirs: Any, given: dict[str, Any], targets: Targets, W: Array
) -> None:
    """Set parameters, and by one step on zeros what stands beside the kernels."""
    quiet = {**given, **_QUIET}
    if given.get("solver") == "lbfgs":
        quiet["solver"] = "adam"
    theirs.set_params(**quiet)
    y = _dummy_targets(targets)
    known = {"classes": targets.classes} if isinstance(targets, ClassTargets) else {}
    theirs.partial_fit(np.zeros((len(y), len(W)), W.dtype), y, **known)
    theirs.set_params(**{**type(theirs)().get_params(), **given})


def _dummy_targets(targets: Targets) -> Array:
    """Return targets of each kind that there is, as a first fit needs them."""
    if isinstance(targets, ClassTargets) and not targets.multilabel:
        return targets.classes
    dtype = int if isinstance(targets, ClassTargets) else float
    return np.zeros((2, targets.n_outputs) if targets.n_outputs > 1 else 2, dtype)


def _parameters(source: Any, target: Any) -> dict[str, Any]:
    """Return the parameters of `source` that `target` can have, too."""
    known, found = target.get_params(deep=False), {}
    for name, value in source.get_params(deep=False).items():
        if name not in known or name in _DESCRIBE_THE_NETWORK:
            continue
        if name in _CHOICES:
            fits = isinstance(value, str) and value in _CHOICES[name]
        else:
            fits = value is None or (isinstance(value, _PLAIN) and value != "cycle")
        if fits:
            found[name] = value
    return found


def _copy_names(source: Any, target: Any) -> None:
    target.n_features_in_ = source.n_features_in_
    names = vars(source).get("feature_names_in_")
    if names is not None:
        target.feature_names_in_ = names


def _to_perceptron(estimator: PerceptronClassifier) -> Perceptron:
    check_is_fitted(estimator)
    theirs = Perceptron(**_parameters(estimator, Perceptron()))
    coef = estimator._dense_coef()
    quiet = Perceptron(class_weight=None, random_state=0)
    classes = estimator.classes_
    quiet.partial_fit(np.zeros((len(classes), coef.shape[1])), classes, classes=classes)
    theirs.__dict__ |= {k: v for k, v in vars(quiet).items() if k.endswith("_")}
    theirs.coef_, theirs.intercept_ = coef.copy(), estimator.intercept_.copy()
    theirs.n_iter_, theirs.t_ = estimator.n_iter_, estimator.t_
    _copy_names(estimator, theirs)
    return theirs


def from_sklearn(mlp: Any) -> Any:
    """Return an estimator of sknn with the weights of a network of scikit-learn.

    It predicts the same and goes on from where the other one has stopped: the memory of
    Adam or SGD, the number of epochs, the curves and the patience come along.

    Parameters
    ----------
    mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted.

    Returns
    -------
    ours : MLPClassifier or MLPRegressor
        Of sknn, fitted.

    Raises
    ------
    TypeError
        If the estimator is another one.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_sklearn : The way back.

    Notes
    -----
    One `partial_fit` more equals one more of scikit-learn's, to rounding; with
    ``shuffle=False`` any number of them. Otherwise scikit-learn begins each call with
    the same random state, sknn goes on with it. A fit with ``warm_start=True`` goes on
    with the optimiser's memory, which scikit-learn forgets.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sknn.export import from_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = MLPClassifier((8,), solver="lbfgs", alpha=1.0, tol=1e-2,
    ...                      random_state=0)
    >>> theirs = theirs.fit(X, y)
    >>> ours = from_sklearn(theirs)
    >>> bool(np.allclose(ours.predict_proba(X), theirs.predict_proba(X)))
    True
    """
    if not isinstance(mlp, TheirClassifier | TheirRegressor):
        raise TypeError(
            "from_sklearn takes MLPClassifier and MLPRegressor of scikit-learn, got "
            f"{type(mlp).__module__}.{type(mlp).__name__}."
        )
    check_is_fitted(mlp)
    ours = MLPClassifier() if isinstance(mlp, TheirClassifier) else MLPRegressor()
    given = _parameters(mlp, ours)
    given |= {name: mlp.get_params()[name] for name in _DESCRIBE_THE_NETWORK[:2]}
    given["loss"] = "poisson" if mlp.out_activation_ == "exp" else ours.loss
    _start_ours(ours, given, _targets_of(mlp), mlp.coefs_[0])
    ours.coefs_, ours.intercepts_ = mlp.coefs_, mlp.intercepts_
    ours._state = _state_of(mlp, ours)
    as_of_run = {"n_iter": mlp.n_iter_, "loss": mlp.loss_}
    stops_early = mlp.early_stopping and mlp.solver != "lbfgs"
    run: Any = SimpleNamespace(**as_of_run, stops_early=stops_early)
    ours.__dict__ |= ours._fitted_attributes(run)
    _copy_names(mlp, ours)
    return ours


def _start_ours(
    ours: BaseMLP, given: dict[str, Any], targets: Targets, W: Array
) -> None:
    """Set parameters; make a network for targets of this kind."""
    ours.set_params(**{**given, **_QUIET, "solver": "adam", "warm_start": False})
    y = _dummy_targets(targets)
    X, classes = np.zeros((len(y), len(W)), W.dtype), getattr(targets, "classes", None)
    request = Request(X, y, None, classes=classes)
    ours._start(False, ours._load(request, goes_on=False), request)
    ours.set_params(**{**type(ours)().get_params(), **given})


def _targets_of(mlp: Any) -> Targets:
    if isinstance(mlp, TheirRegressor):
        return RealTargets(mlp.n_outputs_)
    several = mlp.out_activation_ == "logistic" and mlp.n_outputs_ > 1
    return ClassTargets(np.asarray(mlp.classes_), multilabel=several)


def _state_of(mlp: Any, ours: BaseMLP) -> TrainingState:
    """Return a state of training to go on from where scikit-learn has stopped."""
    scores = getattr(mlp, "validation_scores_", None) or []
    curve = getattr(mlp, "loss_curve_", [])
    state = TrainingState(
        check_random_state(mlp.random_state),
        samples=int(mlp.t_),
        epoch=len(curve),
        no_improvement_count=patience_of(mlp),
        learning_rate=float(mlp.learning_rate_init),
    )
    for i, loss in enumerate(curve):
        score = {"validation_score": scores[i]} if i < len(scores) else {}
        state.record(epoch=i + 1, loss=loss, **score)
    if scores:
        state.best_score = mlp.best_validation_score_
        state.best_epoch = int(np.argmax(scores)) + 1
    elif getattr(mlp, "best_loss_", None) is not None:
        state.best_loss = mlp.best_loss_
    take_over_memory(mlp, ours, state)
    return state
