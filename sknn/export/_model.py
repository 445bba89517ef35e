"""A graph as an ONNX model; the only room that needs the package onnx."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from sknn._array import Array
from sknn._versions import __version__
from sknn.export._estimators import build_graph
from sknn.export._graph import ML, OPSET, OPSET_ML, TEXT, Graph, Node, Tensor

#: The oldest format that OPSET may have, so that old runtimes read it.
IR_VERSION = 7

_INSTALL = {"onnx": "sknn[onnx]"}


def require(name: str) -> ModuleType:
    """Import an optional module, or say what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        wanted = _INSTALL.get(package, package)
        raise ImportError(
            f'sknn.export needs {package}: pip install "{wanted}"'
        ) from error


def to_onnx(estimator: Any, *, dtype: Any = None) -> Any:
    """Return a fitted estimator as an ONNX model that predicts what it predicts.

    The graph holds all that happens between X and the prediction: columns that are
    filled, scaled and coded, the network, the link of its loss, the units of y, labels.

    Parameters
    ----------
    estimator : estimator of sknn
        Fitted. Pipelines are for skl2onnx, after `register_skl2onnx`.
    dtype : {'float32', 'float64'} or None, default=None
        Of the input. None is that of the network's parameters, in which the graph
        calculates whatever goes in.

    Returns
    -------
    model : onnx.ModelProto
        Of operator set 13, which onnxruntime runs from version 1.18 on. It has one
        input ``X`` of shape (n, n_features); where a column holds strings, one of shape
        (n, 1) for each column, under its name or ``x0``, ``x1``, .... Outputs of
        classifiers are ``label``, of shape (n,), and ``probabilities``, of
        `PerceptronClassifier`, which has none, ``label`` and ``scores``. All others
        have ``variable`` of shape (n, n_outputs): predictions, or what `transform`
        returns.

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If the estimator is not one of sknn's.
    ValueError
        If a layer, loss or label has no counterpart in ONNX.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    register_skl2onnx : Conversion of whole pipelines.

    Notes
    -----
    Nothing is checked in the graph: where `predict` refuses NaN, the graph gives out
    NaN. A string that is missing is the empty string.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.export import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((8,), alpha=1.0, solver="lbfgs", tol=1e-2,
    ...                         random_state=0)
    >>> model = to_onnx(network.fit(X, y))
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities']
    """
    require("onnx")
    if dtype is not None and np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}.")
    return as_model(build_graph(estimator, dtype), type(estimator).__name__)


def as_model(graph: Graph, name: str) -> Any:
    """Return a graph as onnx has it, checked."""
    onnx = require("onnx")
    helper, ends = onnx.helper, graph.outputs.items()
    nodes = [as_node(node) for node in graph.nodes]
    nodes += [
        helper.make_node("Identity", [t.name], [end], name=end) for end, t in ends
    ]
    proto = helper.make_graph(
        nodes,
        name,
        [_info(t.name, t) for t in graph.inputs],
        [_info(end, t) for end, t in ends],
        [as_tensor(known, array) for known, array in graph.constants.items()],
    )
    model = helper.make_model(
        proto,
        opset_imports=[helper.make_opsetid(*pair) for pair in _opsets(graph)],
        ir_version=IR_VERSION,
        producer_name="sknn",
        producer_version=__version__,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _opsets(graph: Graph) -> list[tuple[str, int]]:
    uses_ml = any(node.domain == ML for node in graph.nodes)
    return [("", OPSET), *([(ML, OPSET_ML)] if uses_ml else [])]


def as_node(node: Node) -> Any:
    """Return a node as onnx has it."""
    helper = require("onnx").helper
    attributes = {name: attribute(value) for name, value in node.attributes.items()}
    # Named: optimisers of onnxruntime up to 1.20 name new nodes after old ones.
    name = f"{node.op}_{node.output}"
    return helper.make_node(
        node.op, node.inputs, [node.output], name, domain=node.domain, **attributes
    )


def as_tensor(name: str, array: Array) -> Any:
    """Return a constant as onnx has it."""
    return require("onnx").numpy_helper.from_array(array, name)


def type_of(dtype: np.dtype[Any]) -> int:
    """Return onnx's number of a dtype."""
    onnx = require("onnx")
    if dtype == TEXT:
        return onnx.TensorProto.STRING
    return onnx.helper.np_dtype_to_tensor_dtype(dtype)


def attribute(value: Any) -> Any:
    """Return the value of an attribute as onnx has it."""
    if isinstance(value, np.dtype):
        return type_of(value)
    return as_tensor("", value) if isinstance(value, np.ndarray) else value


def _info(name: str, tensor: Tensor) -> Any:
    shape = ["n", tensor.width] if tensor.width else ["n"]
    make = require("onnx").helper.make_tensor_value_info
    return make(name, type_of(tensor.dtype), shape)
