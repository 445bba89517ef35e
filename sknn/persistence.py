"""Saving and loading: estimators in files of sknn, other models through skops.

How an estimator becomes JSON and arrays is told in `estimators._storing`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sknn._tensors import FileFormatError, read_tensors, write_tensors
from sknn.estimators._stored import ESTIMATORS, known_classes
from sknn.estimators._storing import (
    KIND,
    check_whole,
    decode,
    naming_file,
    store,
    versions,
)

__all__ = ["FileFormatError", "load", "save"]  # and TRUSTED_TYPES, made when asked


def _name(item: Any) -> str:
    return f"{item.__module__}.{item.__qualname__}"


def _trusted_types() -> list[str]:
    """Return names for the parameter `trusted` of skops."""
    from sklearn import metrics

    # What pipelines and searches hold beside what skops trusts anyway: of searches
    # scorers and what they compute.
    known = {_name(kind) for kind in known_classes().values()} | {"numpy.dtype"}
    of_sklearn = [getattr(metrics, name) for name in metrics.__all__]
    known |= {
        _name(metric) for metric in of_sklearn if isinstance(metric, FunctionType)
    }
    return sorted(known | {f"sklearn.{name}" for name in _PRIVATE})


def __getattr__(name: str) -> Any:
    """Make TRUSTED_TYPES, which needs imports, when it is first asked for."""
    if name == "TRUSTED_TYPES":
        globals()[name] = _trusted_types()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Plain data of scikit-learn: scorers of searches, columns, requests of metadata.
_PRIVATE = (
    "compose._column_transformer._RemainderColsList",
    "metrics._scorer._PassthroughScorer",
    "metrics._scorer._Scorer",
    "utils._metadata_requests.MetadataRequest",
    "utils._metadata_requests.MethodMetadataRequest",
)
_SKOPS = "skops"


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file that can be loaded without running any code.

    What `load` returns predicts the same bits, and training can go on from it as if it
    had never been stored: optimiser, random state and history are in the file.

    Parameters
    ----------
    estimator : estimator
        An estimator of sknn, fitted or not; or a pipeline, search or other estimator of
        scikit-learn, for which the package skops must be installed.
    path : str or path-like
        The file; its folder must exist. A file that is there is replaced.

    Raises
    ------
    TypeError
        If `estimator` is no estimator, or has something in it that files do not hold,
        such as a function; the message says where.
    ValueError
        If a constructor parameter is not valid.
    ImportError
        If the estimator is not one of sknn and skops is not installed.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : The way back.

    Notes
    -----
    The file has the layout of safetensors, in which the package of that name finds the
    arrays: parameters are named by layer, such as
    ``model._network.parameters.0.W``. Its metadata hold everything else as JSON, the
    versions of the packages, and a sha256 over the whole file.

    The name leads to the whole old or the whole new file at any time, whatever happens
    meanwhile. Callbacks that were set with `set_callbacks` are not in the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import sknn
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> net = sknn.MLPClassifier(max_iter=500, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sknn.save(net, Path(folder) / "iris.sknn")
    ...     again = sknn.load(Path(folder) / "iris.sknn")
    >>> bool((again.predict_proba(X) == net.predict_proba(X)).all())
    True
    """
    if type(estimator) in ESTIMATORS:
        store(estimator, path)
        return
    if isinstance(estimator, type) or not isinstance(estimator, BaseEstimator):
        raise TypeError(
            "save takes an estimator of sknn or scikit-learn, or a pipeline of them, "
            f"got {estimator!r:.200}."
        )
    data = _import_skops("save", type(estimator).__name__).dumps(estimator)
    about = {"kind": _SKOPS, "versions": versions(), "class": type(estimator).__name__}
    write_tensors(path, {_SKOPS: np.frombuffer(data, np.uint8)}, about)


def load(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Return the estimator that `save` has written, or raise.

    Everything in the file is checked before it is returned: the checksum; names, dtypes
    and shapes of the parameters against the layers; the constructor's parameters as in
    `fit`; and that the estimator predicts. Nothing in it is executed or imported.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str, default=()
        For pipelines with classes of other packages in them: the names of those that
        may be made, such as ``"my_package.MyTransformer"``. Those of scikit-learn and
        sknn need no mention. Naming a class trusts its code with whatever is in the
        file.

    Returns
    -------
    estimator : estimator
        As it was saved.

    Raises
    ------
    FileFormatError
        If the file is damaged, of a newer version, or none of sknn. It is a
        ValueError.
    TypeError
        If a pipeline has a class in it that is not trusted.
    ImportError
        If the file holds a pipeline and skops is not installed.
    OSError
        If the file cannot be read.

    See Also
    --------
    save : Writes the file.
    """
    arrays, about = read_tensors(path)
    kind = about.get("kind") if isinstance(about, dict) else None
    with naming_file(path):
        if kind == KIND:
            return decode(arrays, about)
        if kind == _SKOPS and set(arrays) == {_SKOPS}:
            return _load_with_skops(arrays[_SKOPS], trusted)
        raise FileFormatError("it holds no estimator")


def _load_with_skops(data: Any, trusted: Sequence[str]) -> Any:
    skops = _import_skops("load", "what is in this file")
    content = data.tobytes()
    known = [*_trusted_types(), *trusted]
    try:
        others = set(skops.get_untrusted_types(data=content)) - set(known)
    except Exception as error:
        raise FileFormatError(f"skops does not understand it: {error}") from error
    if others:
        raise TypeError(
            f"The file has objects of the classes {sorted(others)} in it. If you trust "
            "them and the source of the file, name them in `trusted`."
        )
    try:
        estimator = skops.loads(content, trusted=known)
    except Exception as error:
        raise FileFormatError(f"skops cannot load it: {error}") from error
    for own in _estimators_within(estimator, set()):
        check_whole(own)
    return estimator


def _estimators_within(value: Any, seen: set[int]) -> Iterator[Any]:
    """Yield the estimators of sknn in an object, wherever they are."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if type(value) in ESTIMATORS:
        yield value
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, (list, tuple)):
        inner = list(value)
    else:
        inner = list(getattr(value, "__dict__", {}).values())
    for item in inner:
        yield from _estimators_within(item, seen)


def _import_skops(what: str, whom: str) -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            f"To {what} {whom}, which is no estimator of sknn itself, install skops: "
            "pip install skops"
        ) from error
    return skops.io
