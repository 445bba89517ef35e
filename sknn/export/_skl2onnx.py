"""Converters for skl2onnx, so that it writes whole pipelines with our estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import sknn.estimators
from sknn.estimators import MLPEstimator
from sknn.export._estimators import (
    answer,
    check_supported,
    classifies,
    columns_of_text,
    labels_of,
)
from sknn.export._graph import OPSET, TEXT, Graph, Tensor
from sknn.export._inputs import Source
from sknn.export._model import attribute, require, type_of

_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [False],
}


def register_skl2onnx() -> None:
    """Teach skl2onnx to convert the estimators of sknn.

    From then on ``skl2onnx.to_onnx`` takes pipelines, column transformers and ensembles
    with estimators of sknn in them. To call it again changes nothing.

    Returns
    -------
    None
        The converters stay registered until Python ends.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : Conversion of a single estimator, without skl2onnx.

    Notes
    -----
    A network calculates in the precision it was fitted in, whatever that of the
    pipeline: its input and output are cast. Classifiers by default end in skl2onnx's
    ``ZipMap``, which takes float32 only: switch it off with
    ``options={"zipmap": False}``. Columns of strings need an encoder before the
    network; `to_onnx` takes those that the network itself encodes.
    """
    skl2onnx = require("skl2onnx")
    for name in sknn.estimators.__all__:
        kind = getattr(sknn.estimators, name)
        is_classifier = name.endswith("Classifier") or kind is MLPEstimator
        skl2onnx.update_registered_converter(
            kind,
            f"Sknn{name}",
            _set_types,
            _convert,
            parser=_parse if kind is MLPEstimator else None,
            options=_OPTIONS if is_classifier else None,
        )


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the outputs of an estimator that shows only once it is fitted what it is.

    skl2onnx knows classifiers by their type.
    """
    types = require("skl2onnx.common.data_types")
    operator = scope.declare_local_operator(f"Sknn{type(model).__name__}", model)
    operator.inputs = inputs
    names = ["label", "probabilities"] if classifies(model) else ["variable"]
    for name in names:
        kind = types.guess_tensor_type(inputs[0].type)
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _set_types(operator: Any) -> None:
    """Tell skl2onnx the types of the outputs."""
    model, outputs = operator.raw_operator, operator.outputs
    check_supported(model)
    types = require("skl2onnx.common.data_types")
    n = operator.inputs[0].get_first_dimension()
    for output in outputs:
        kind = type(types.guess_tensor_type(operator.inputs[0].type))
        output.type = kind([n, None])
    if classifies(model):
        labels = labels_of(model.classes_)
        # skl2onnx has no others: truth, and floats, which are whole, become integers.
        is_text = labels.dtype == TEXT
        kind = types.StringTensorType if is_text else types.Int64TensorType
        several = getattr(getattr(model, "_targets", None), "multilabel", False)
        outputs[0].type = kind([n, len(labels)] if several else [n])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of one estimator into the model that skl2onnx makes."""
    model = operator.raw_operator
    if columns_of_text(model):
        raise ValueError(
            f"{type(model).__name__} encodes columns of strings, which skl2onnx cannot "
            "pass on to it. Put an encoder such as OneHotEncoder before the network in "
            "the pipeline, or write the estimator alone with sknn.export.to_onnx."
        )
    if container.target_opset_any_domain("") < OPSET:
        raise ValueError(f"sknn.export needs target_opset of at least {OPSET}.")
    graph = Graph()
    source, names = _take_inputs(graph, operator.inputs, model.n_features_in_)
    outputs = list(answer(model, source).values())
    types = require("skl2onnx.common.data_types")
    _write(graph, names, scope, container)
    for tensor, output in zip(outputs, operator.outputs, strict=True):
        kind = types.guess_proto_type(output.type)
        container.add_node(
            "Cast",
            names[tensor.name],
            output.full_name,
            name=scope.get_unique_operator_name("Cast"),
            to=kind,
        )


def _take_inputs(
    graph: Graph, inputs: Any, n_features: int
) -> tuple[Source, dict[str, str]]:
    """Return the inputs side by side, and skl2onnx's names of them."""
    types = require("skl2onnx.common.data_types")
    dtypes = {
        types.DoubleTensorType: np.float64,
        types.Int64TensorType: np.int64,
    }
    names, parts = {}, []
    for i, one in enumerate(inputs):
        dtype = dtypes.get(type(one.type), np.float32)
        tensor = graph.input(f"X{i}", dtype, 0)
        names[tensor.name] = one.full_name
        parts.append(tensor)
    # skl2onnx does not always know how wide its tensors are.
    return Source(graph, replace(_joined(graph, parts), width=n_features)), names


def _joined(graph: Graph, parts: list[Tensor]) -> Tensor:
    exact = any(part.dtype == np.float64 for part in parts)
    dtype = np.float64 if exact else np.float32
    return graph.concat([part.cast(dtype) for part in parts])


def _write(graph: Graph, names: dict[str, str], scope: Any, container: Any) -> None:
    """Copy constants and nodes under names that nobody else has; add to `names`."""
    for name, array in graph.constants.items():
        names[name] = scope.get_unique_variable_name(f"sknn_{name}")
        values = array.ravel().tolist()
        kind = type_of(array.dtype)
        container.add_initializer(names[name], kind, array.shape, values)
    for node in graph.nodes:
        names[node.output] = scope.get_unique_variable_name(f"sknn_{node.output}")
        container.add_node(
            node.op,
            [names[name] for name in node.inputs],
            names[node.output],
            op_domain=node.domain,
            name=scope.get_unique_operator_name(node.op),
            **{name: attribute(value) for name, value in node.attributes.items()},
        )
