"""Network: layers bound to one flat vector of parameters; forward and backward.

It owns the parameters and nothing else: scratch is the tape's, gradients are the
objective's, and what an output means is the loss's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.layers.base import Layer, Param, Views, declare
from sknn.layers.containers import (
    chain_adapt,
    chain_backward,
    chain_forward,
    walk,
)
from sknn.tape import Tape

# Rows of one block of a prediction: all scratch of a block stays below this.
_BLOCK_BYTES = 1 << 23

# Parts of the vector, in their order; what stands before the frozen ones is trained.
_PENALIZED, _FREE, _FROZEN, _BUFFERS = range(4)


def _part(param: Param) -> int:
    if param.buffer:
        return _BUFFERS
    if not param.trainable:
        return _FROZEN
    return _PENALIZED if param.penalized else _FREE


def _full_name(i: int, param: Param) -> str:
    return f"{i}.{param.name}"


class Network:
    """A chain of layers with all parameters in one vector.

    The vector holds the penalised parameters of all layers first, then those without
    penalty, frozen ones, and running statistics; layers see named views of it. Within
    each of these parts, parameters with one factor of the learning rate stand together.
    A stack of networks has a vector with an axis in front, and everything below it
    broadcasts.

    Parameters
    ----------
    layers : sequence of Layer
        The chain, from input to raw output.
    n_features : int
        Number of input columns.
    dtype : dtype, default=float64
        Of the parameters.
    rng : RandomState or None, default=None
        Draws the initial parameters, layer by layer in the order of declaration; None
        leaves zeros.

    Attributes
    ----------
    values : ndarray of shape (n_parameters,)
        All parameters; for a stack (n_networks, n_parameters).
    n_penalized, n_trainable : int
        Lengths of the leading parts of `values`.
    lr_segments : list of (int, float)
        Where each run of trained parameters with one factor of the learning rate ends,
        and the factor.
    n_outputs : int
        Number of raw outputs.
    widths : list of int
        Number of columns before each layer, and behind the last.
    views : list of dict of ndarray
        Each layer's parameters as views of `values`.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        n_features: int,
        dtype: Any = np.float64,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.n_features = n_features
        self._declare()
        if self.n_parameters * np.dtype(dtype).itemsize > np.iinfo(np.intp).max:
            raise ValueError(
                f"Layers with {self.n_parameters} parameters are more than an array "
                "holds: make hidden_layer_sizes smaller."
            )
        self.bind(np.zeros(self.n_parameters, dtype=dtype))
        if rng is not None:
            self._initialize(rng)

    @classmethod
    def stack(cls, networks: Sequence[Network]) -> Network:
        """Return a stack that computes these networks of one architecture at once."""
        first = networks[0]
        stacked = cls(first.layers, first.n_features, first.values.dtype)
        stacked.bind(np.stack([network.values for network in networks]))
        return stacked

    @classmethod
    def of(
        cls, layers: Sequence[Layer], n_features: int, parameters: Mapping[str, Array]
    ) -> Network:
        """Return a network with these parameters, as `parameters` names them.

        Parameters
        ----------
        layers : sequence of Layer
            The chain, from input to raw output.
        n_features : int
            Number of input columns.
        parameters : mapping of str to ndarray
            Every parameter by its name, all in one dtype of float64 and float32; they
            are copied.

        Raises
        ------
        ValueError
            If names, shapes or dtypes are not those that the layers declare.
        """
        network = cls.__new__(cls)
        network.layers, network.n_features = tuple(layers), n_features
        network._declare()
        shapes = {_full_name(i, p): p.shape for i, p in network._declared}
        given = {name: np.shape(array) for name, array in parameters.items()}
        if given != shapes:
            raise ValueError(f"parameters must have the shapes {shapes}, got {given}.")
        dtypes = {str(array.dtype) for array in parameters.values()}
        if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
            raise ValueError(f"parameters must be of one float dtype, got {dtypes}.")
        network.bind(np.zeros(network.n_parameters, dtypes.pop()))
        for name, view in network.parameters().items():
            np.copyto(view, parameters[name])
        return network

    def parameters(self) -> dict[str, Array]:
        """Return a view of each parameter by its name.

        Returns
        -------
        parameters : dict of str to ndarray
            Named by layer and parameter: ``"0.W"``, or ``"1.0.W"`` for the first layer
            within the second; running statistics are among them.
        """
        return {
            _full_name(i, param): self._part_of(self.values, i, param)
            for i, param in self._declared
        }

    def _declare(self) -> None:
        self._declared: list[tuple[int, Param]] = []
        self.widths = [self.n_features]
        for i, layer in enumerate(self.layers):
            params, width = declare(layer, self.widths[-1])
            self._declared += [(i, param) for param in params]
            self.widths.append(width)
        # Of one sample on its way through the network, about.
        self._n_numbers = sum(param.shape[-1] for _, param in self._declared)
        self._n_numbers += sum(self.widths[1:])
        self.n_outputs = self.widths[-1]
        self._offsets = self._lay_out()
        trained = [i for i, param in self._declared if _part(param) < _FROZEN]
        self._first_trained = min(trained, default=len(self.layers))

    def _lay_out(self) -> dict[tuple[int, str], int]:
        # By first appearance: a first kernel leads the vector whatever its factor.
        factors = list(dict.fromkeys(param.lr_factor for _, param in self._declared))

        def place(declared: tuple[int, Param]) -> tuple[int, int]:
            return _part(declared[1]), factors.index(declared[1].lr_factor)

        offsets, end, ends = {}, 0, [0, 0, 0, 0]
        self.lr_segments: list[tuple[int, float]] = []
        for i, param in sorted(self._declared, key=place):
            offsets[i, param.name] = end
            end += math.prod(param.shape)
            ends[_part(param) :] = [end] * (4 - _part(param))
            if _part(param) < _FROZEN:
                if self.lr_segments and self.lr_segments[-1][1] == param.lr_factor:
                    self.lr_segments.pop()
                self.lr_segments.append((end, param.lr_factor))
        self.n_penalized, self.n_trainable, _, self.n_parameters = ends
        return offsets

    def bind(self, values: Array) -> None:
        """Let `values` be the vector of all parameters from now on."""
        self.values = values
        self.views = self.split(values)

    def _initialize(self, rng: np.random.RandomState) -> None:
        for i, param in self._declared:
            self._part_of(self.values, i, param)[...] = param.init(
                rng, param.shape, param.fan
            )

    def _part_of(self, vector: Array, i: int, param: Param) -> Array:
        start = self._offsets[i, param.name]
        part = vector[..., start : start + math.prod(param.shape)]
        return part.reshape(*vector.shape[:-1], *param.shape)

    def split(self, vector: Array) -> list[Views]:
        """Return each layer's part of a vector like `values`, as named views.

        Parameters of a layer within another stand in a dict of their own.
        """
        views: list[Views] = [{} for _ in self.layers]
        for i, param in self._declared:
            *path, name = param.name.split(".")
            own = views[i]
            for inner in path:
                own = own.setdefault(inner, {})
            own[name] = self._part_of(vector, i, param)
        return views

    def walk(self, tape: Tape | None = None) -> Iterator[tuple[Layer, Views, Tape]]:
        """Yield all layers, those within others too, with their views and tapes.

        Parameters
        ----------
        tape : Tape or None, default=None
            The tape of a pass, whose parts are yielded; None makes an empty one.

        Yields
        ------
        layer, views, tape : Layer, dict of ndarray, Tape
            One layer, from input to output; a container before what it contains.
        """
        return walk(self.layers, self.views, Tape() if tape is None else tape)

    def adapt(self, X: Any) -> None:
        """Set the parameters that start from the training data.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training data.
        """
        chain_adapt(self.layers, X, self.views)

    def update_buffers(self, tape: Tape, share: float | None = None) -> None:
        """Move the running statistics by the batch that `tape` went forward with.

        Parameters
        ----------
        tape : Tape
            Tape of a pass in training.
        share : float or None, default=None
            Weight of the batch; None takes each layer's own, 1 forgets the past.
        """
        if self.n_buffers:
            for layer, views, own in self.walk(tape):
                layer.update_buffers(views, own, share)

    @property
    def n_buffers(self) -> int:
        """Number of running statistics among the parameters."""
        sizes = (math.prod(p.shape) for _, p in self._declared if p.buffer)
        return sum(sizes)

    def forward(self, X: Any, tape: Tape) -> Array:
        """Return the raw output for `X`; `tape` keeps what `backward` needs.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)
            Input; never written over.
        tape : Tape
            Scratch; the output lies on it and holds until its next pass.

        Returns
        -------
        raw : ndarray of shape (n_samples, n_outputs)
            The output of the last layer.
        """
        tapes = tape.layers(len(self.layers))
        return chain_forward(self.layers, X, self.views, tapes)[0]

    def backward(
        self, dy: Array, tape: Tape, gradient: list[Views] | None = None
    ) -> Array | None:
        """Propagate `dy` back through the pass that `tape` recorded.

        Parameters
        ----------
        dy : ndarray of shape (n_samples, n_outputs)
            Gradient by the raw output; may be written over.
        tape : Tape
            The tape of the forward pass, which must have been recording.
        gradient : list of dict of ndarray or None, default=None
            Views that receive the gradient by the parameters.

        Returns
        -------
        dx : ndarray of shape (n_samples, n_features) or None
            Gradient by the input if `gradient` is None; in training it is not
            computed.
        """
        last = 0 if gradient is None else self._first_trained
        tapes, need_dx = tape.layers(len(self.layers)), gradient is None
        dx = chain_backward(self.layers, dy, self.views, gradient, tapes, last, need_dx)
        return dx if need_dx else None

    def predict(self, X: Any, part: slice = slice(None)) -> Array:
        """Return the raw output for `X`, computed in blocks of rows.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)
            Input of any length; beyond the result a few MB are needed.
        part : slice, default=slice(None)
            The layers to go through; `X` is the input of the first of them.

        Returns
        -------
        raw : ndarray of shape (n_samples, n_outputs)
            A new array.
        """
        layers, views = self.layers[part], self.views[part]
        n, end = X.shape[-2], part.indices(len(self.layers))[1]
        shape = (*self.values.shape[:-1], n, self.widths[end])
        raw = np.empty(shape, dtype=self.values.dtype)
        tapes = Tape().layers(len(layers))
        for rows in self._row_blocks(X):
            block = self._cast(X[rows] if X.ndim == 2 else X[..., rows, :])
            raw[..., rows, :] = chain_forward(layers, block, views, tapes)[0]
        return raw

    @property
    def block_rows(self) -> int:
        """Number of rows that one block of a prediction takes."""
        return max(1, _BLOCK_BYTES // (self._n_numbers * self.values.itemsize))

    def _row_blocks(self, X: Any) -> Iterator[slice]:
        n, size = X.shape[-2], self.block_rows
        if X.dtype != self.values.dtype and isinstance(X, np.ndarray):
            casts = self.n_features * self.values.itemsize
            size = min(size, max(1, _BLOCK_BYTES // casts))
        for start in range(0, n, size):
            yield slice(start, min(start + size, n))

    def _cast(self, block: Any) -> Any:
        dtype = self.values.dtype
        return block if block.dtype == dtype else block.astype(dtype)

    def copy(self, dtype: Any = None) -> Network:
        """Return a network of the same layers with parameters of its own."""
        twin = Network.__new__(Network)
        values = self.values.astype(dtype or self.values.dtype)
        twin.__setstate__({**self.__getstate__(), "values": values})
        return twin

    def __getstate__(self) -> dict[str, Any]:
        """Return layers and the vector: views lose their aliasing in a pickle."""
        return {
            "layers": self.layers,
            "n_features": self.n_features,
            "values": self.values,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Bind the views to the vector again."""
        self.layers = state["layers"]
        self.n_features = state["n_features"]
        self._declare()
        self.bind(state["values"])

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        """Return `copy`: layers are immutable, so only the vector needs copying."""
        return self.copy()
