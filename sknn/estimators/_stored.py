"""Classes that a file of sknn may hold, and how each is taken apart and made again.

An estimator belongs to them by the decorator `storable`, whatever stands in the tables
LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, INITIALIZERS and AVERAGES belongs to them, too.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import numpy as np

from sknn import callbacks
from sknn._codec import Codec, Form, attributes_form, dataclass_form
from sknn.estimators._calibration import Residuals
from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._scaling import NumericScaler
from sknn.estimators._sklearn import is_of_callbacks
from sknn.estimators._targets import ClassTargets, InputTargets, RealTargets
from sknn.initializers import INITIALIZERS, Normal, Ones, Scaled, Uniform, Zeros
from sknn.layers import LAYERS, Layer
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES
from sknn.training.averaging import AVERAGES
from sknn.training.state import TrainingState

T = TypeVar("T", bound=type)

ESTIMATORS: list[type] = []
# Read at each use: whoever adds a class to a table can store it, too.
_TABLES: dict[str, dict[str, Any]] = {
    "layers": LAYERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initializers": INITIALIZERS,
    "averages": AVERAGES,
}
_PARTS: tuple[type, ...] = (
    ClassTargets,
    ColumnEncoder,
    InputTargets,
    NumericScaler,
    RealTargets,
    Residuals,
    TrainingState,
    Normal,
    Ones,
    Scaled,
    Uniform,
    Zeros,
    callbacks.CSVLog,
    callbacks.Checkpoint,
    callbacks.JSONLog,
    callbacks.ProgressBar,
    callbacks.TimeLimit,
)
_RNG = "numpy.RandomState"


def storable(kind: T) -> T:
    """Let files hold estimators of this class."""
    ESTIMATORS.append(kind)
    return kind


@functools.cache
def _of_sklearn() -> tuple[type, ...]:
    """Return classes of scikit-learn, which are imported where files are in use."""
    from sklearn import model_selection
    from sklearn.frozen import FrozenEstimator
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.preprocessing import OrdinalEncoder

    return (
        FrozenEstimator,
        MissingIndicator,
        OrdinalEncoder,
        SimpleImputer,
        model_selection.GroupKFold,
        model_selection.GroupShuffleSplit,
        model_selection.KFold,
        model_selection.PredefinedSplit,
        model_selection.RepeatedKFold,
        model_selection.RepeatedStratifiedKFold,
        model_selection.ShuffleSplit,
        model_selection.StratifiedGroupKFold,
        model_selection.StratifiedKFold,
        model_selection.StratifiedShuffleSplit,
        model_selection.TimeSeriesSplit,
    )


def known_classes() -> dict[str, type]:
    """Return the classes that files may hold, by the names that stand for them."""
    tables = {
        f"{table}.{kind.__name__}": kind
        for table, kinds in _TABLES.items()
        for kind in kinds.values()
    }
    own = {kind.__name__: kind for kind in (*ESTIMATORS, *_PARTS, Network)}
    of_sklearn = {f"sklearn.{kind.__name__}": kind for kind in _of_sklearn()}
    return tables | own | of_sklearn | {_RNG: np.random.RandomState}


def codec(made: list[Any] | None = None) -> Codec:
    """Return the codec of estimators; what it makes is appended to `made`."""
    forms = {name: _form(kind) for name, kind in known_classes().items()}
    if made is not None:
        forms = {name: _noting(form, made) for name, form in forms.items()}
    return Codec(forms)


def _form(kind: Any) -> Form:
    if kind is np.random.RandomState:
        return Form(kind, _take_rng, _make_rng)
    if kind is Network:
        return Form(kind, _take_network, _make_network)
    if kind in ESTIMATORS:
        return _estimator_form(kind)
    return attributes_form(kind) if kind in _of_sklearn() else dataclass_form(kind)


def _noting(form: Form, made: list[Any]) -> Form:
    def make(parts: dict[str, Any]) -> Any:
        value = form.make(parts)
        made.append(value)
        return value

    return Form(form.kind, form.take, make)


def _take_rng(rng: np.random.RandomState) -> dict[str, Any]:
    state = rng.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise TypeError(
            f"random_state draws from {state['bit_generator']}, where files hold the "
            "state of MT19937 only"
        )
    return dict(state) | {"state": dict(state["state"])}


def _make_rng(parts: dict[str, Any]) -> np.random.RandomState:
    rng = np.random.RandomState(0)
    key, position = parts["state"]["key"], parts["state"]["pos"]
    if parts["bit_generator"] != "MT19937" or key.dtype != np.uint32:
        raise ValueError("this is no state of MT19937")
    if not 0 <= position <= len(key):
        raise ValueError(f"there is no position {position}")
    rng.set_state(parts)
    return rng


def _take_network(network: Network) -> dict[str, Any]:
    return {
        "layers": network.layers,
        "n_features": network.n_features,
        "parameters": network.parameters(),
    }


def _make_network(parts: dict[str, Any]) -> Network:
    if type(parts["n_features"]) is not int or not all(
        isinstance(layer, Layer) for layer in parts["layers"]
    ):
        raise TypeError("a network consists of layers and a number of features")
    return Network.of(**parts)


def _estimator_form(kind: type) -> Form:
    form = attributes_form(kind)

    def take(estimator: Any) -> dict[str, Any]:
        # scikit-learn's callbacks, which are set beside the parameters, stay behind.
        parts = form.take(estimator).items()
        return {name: part for name, part in parts if not is_of_callbacks(name)}

    def make(parts: dict[str, Any]) -> Any:
        _check_names(kind, parts)
        return form.make(parts)

    return Form(kind, take, make)


def _check_names(kind: Any, parts: dict[str, Any]) -> None:
    """Raise ValueError unless an estimator may have attributes of these names."""
    missing = set(kind._get_param_names()) - set(parts)
    if missing:
        raise ValueError(f"the parameter {min(missing)!r} is missing")
    for name in parts:
        of_class = getattr(kind, name, None)
        if callable(of_class) or hasattr(of_class, "__get__") or name[:2] == "__":
            raise ValueError(f"{name!r} is no attribute that a fit leaves")
