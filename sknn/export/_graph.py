"""A graph of operators in the making: tensors that are calculated with like arrays.

Needs no onnx: nodes and constants are plain records, from which `_model` makes a file
and `_skl2onnx` a part of someone else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn._array import Array

#: Operators are those of this version, of 2020; none of them means anything else in
#: later ones.
OPSET = 13
ML = "ai.onnx.ml"
OPSET_ML = 2

#: What holds strings; NumPy's own dtype for them depends on their length.
TEXT = np.dtype(object)


@dataclass(frozen=True)
class Node:
    """One operator between named tensors."""

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    domain: str = ""


@dataclass
class Graph:
    """Inputs, nodes in the order of their calculation, constants and outputs."""

    inputs: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    outputs: dict[str, Tensor] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], str] = field(default_factory=dict, repr=False)

    def input(self, name: str, dtype: Any, width: int) -> Tensor:
        """Declare an input of shape (n, width)."""
        self.inputs.append(Tensor(self, name, np.dtype(dtype), width))
        return self.inputs[-1]

    def constant(self, array: Array) -> str:
        """Return the name of a constant; equal ones are kept once."""
        array = np.array(array, order="C")  # nobody else's
        content = tuple(array.flat) if array.dtype == TEXT else array.tobytes()
        key = (array.dtype, array.shape, content)
        if key not in self._known:
            self._known[key] = f"c{len(self.constants)}"
            self.constants[self._known[key]] = array
        return self._known[key]

    def add(
        self,
        op: str,
        inputs: Iterable[str],
        dtype: Any,
        width: int,
        domain: str = "",
        **attributes: Any,
    ) -> Tensor:
        """Append an operator; return its output."""
        output = f"t{len(self.nodes)}"
        self.nodes.append(Node(op, tuple(inputs), output, attributes, domain))
        return Tensor(self, output, np.dtype(dtype), width)

    def where(self, condition: Tensor, a: Any, b: Any, like: Tensor) -> Tensor:
        """Return `a` where the condition holds, else `b`, in the dtype of `like`."""
        names = (condition.name, like.operand(a), like.operand(b))
        return self.add("Where", names, like.dtype, like.width)

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Return tensors side by side."""
        if len(parts) == 1:
            return parts[0]
        names, width = [part.name for part in parts], sum(part.width for part in parts)
        return self.add("Concat", names, parts[0].dtype, width, axis=1)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph, for most of the time of shape (n, width).

    Numbers and arrays that it is calculated with become constants of its dtype.
    """

    graph: Graph = field(repr=False)
    name: str
    dtype: np.dtype[Any]
    width: int

    def operand(self, value: Any) -> str:
        """Return the name of another tensor, or of a constant in this dtype."""
        if isinstance(value, Tensor):
            return value.name
        return self.graph.constant(np.asarray(value, self.dtype))

    def _unary(self, op: str, **attributes: Any) -> Tensor:
        return self.graph.add(op, [self.name], self.dtype, self.width, **attributes)

    def _binary(self, op: str, a: Any, b: Any, dtype: Any = None) -> Tensor:
        names = (self.operand(a), self.operand(b))
        return self.graph.add(op, names, dtype or self.dtype, self.width)

    # Arithmetic ------------------------------------------------------------------

    def __add__(self, other: Any) -> Tensor:
        return self._binary("Add", self, other)

    def __sub__(self, other: Any) -> Tensor:
        return self._binary("Sub", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._binary("Sub", other, self)

    def __mul__(self, other: Any) -> Tensor:
        return self._binary("Mul", self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return self._binary("Div", self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._binary("Div", other, self)

    def __neg__(self) -> Tensor:
        return self._unary("Neg")

    def __abs__(self) -> Tensor:
        return self._unary("Abs")

    def maximum(self, other: Any) -> Tensor:
        """Return the larger of each pair."""
        return self._binary("Max", self, other)

    def minimum(self, other: Any) -> Tensor:
        """Return the smaller of each pair."""
        return self._binary("Min", self, other)

    def apply(self, op: str) -> Tensor:
        """Return an operator of one tensor, such as "Exp", of each number."""
        return self._unary(op)

    def matmul(self, W: Array) -> Tensor:
        """Return the product with a constant; of more than two dimensions a batch."""
        names = (self.name, self.operand(W))
        return self.graph.add("MatMul", names, self.dtype, W.shape[-1])

    def affine(self, W: Array, b: Array) -> Tensor:
        """Return the product with a constant kernel plus an intercept."""
        names = (self.name, self.operand(W), self.operand(b))
        return self.graph.add("Gemm", names, self.dtype, W.shape[-1])

    def softmax(self) -> Tensor:
        """Return shares of each row that add up to 1."""
        return self._unary("Softmax", axis=-1)

    # Truth -----------------------------------------------------------------------

    def __lt__(self, other: Any) -> Tensor:
        return self._binary("Less", self, other, bool)

    def __gt__(self, other: Any) -> Tensor:
        return self._binary("Greater", self, other, bool)

    def __and__(self, other: Tensor) -> Tensor:
        return self._binary("And", self, other)

    def __invert__(self) -> Tensor:
        return self._unary("Not")

    def equals(self, other: Any) -> Tensor:
        """Tell where numbers are equal; NaN never is."""
        return self._binary("Equal", self, other, bool)

    def is_nan(self) -> Tensor:
        """Tell where NaN stands."""
        return self.graph.add("IsNaN", [self.name], bool, self.width)

    # Shape and dtype -------------------------------------------------------------

    def cast(self, dtype: Any) -> Tensor:
        """Return the numbers in another dtype."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype:
            return self
        return self.graph.add("Cast", [self.name], dtype, self.width, to=dtype)

    def columns(self, indices: Iterable[Any]) -> Tensor:
        """Return these columns; neighbours in ascending order as a slice."""
        indices = [int(i) for i in indices]
        if indices == list(range(self.width)):
            return self
        constant, n = self.graph.constant, len(indices)
        if n and indices == list(range(indices[0], indices[0] + n)):
            ends = ([indices[0]], [indices[-1] + 1], [1])
            names = [self.name, *(constant(np.array(e, np.int64)) for e in ends)]
            return self.graph.add("Slice", names, self.dtype, n)
        names = [self.name, constant(np.array(indices, np.int64))]
        return self.graph.add("Gather", names, self.dtype, n, axis=1)

    def reshape(self, *shape: int) -> Tensor:
        """Return the numbers in another shape, in which 0 keeps a length."""
        names = [self.name, self.graph.constant(np.array(shape, np.int64))]
        return self.graph.add("Reshape", names, self.dtype, shape[-1])

    def flat(self) -> Tensor:
        """Return the only column as a vector."""
        names = [self.name, self.graph.constant(np.array([-1], np.int64))]
        return self.graph.add("Reshape", names, self.dtype, 0)

    def exchange(self) -> Tensor:
        """Return three dimensions with the first two exchanged."""
        return self._unary("Transpose", perm=[1, 0, 2])

    # Choice ----------------------------------------------------------------------

    def argmax(self) -> Tensor:
        """Return the index of each row's largest number, the first of equal ones."""
        names = [self.name]
        return self.graph.add("ArgMax", names, np.int64, 0, axis=1, keepdims=0)

    def choose(self, values: Array, width: int = 0) -> Tensor:
        """Return the entries, or rows, of a constant at these indices."""
        names = [self.graph.constant(values), self.name]
        return self.graph.add("Gather", names, values.dtype, width, axis=0)

    def ones(self) -> Tensor:
        """Return ones in the shape of this tensor, whatever stands in it."""
        shape = self.graph.add("Shape", [self.name], np.int64, 0)
        value = np.ones(1, self.dtype)
        names = [shape.name]
        return self.graph.add(
            "ConstantOfShape", names, self.dtype, self.width, value=value
        )
