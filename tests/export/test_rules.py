"""Every layer, activation and loss has a rule, and the graph computes the same."""

import numpy as np
import pytest

from sknn.activations import ACTIVATIONS
from sknn.export import layer_rule
from sknn.export._activations import ACTIVATION_RULES
from sknn.export._graph import Graph
from sknn.export._layers import LAYER_RULES, emit, emit_chain
from sknn.export._links import emit_link
from sknn.export._model import as_model
from sknn.layers import (
    LAYERS,
    PBLD,
    PLR,
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    MonotonicActivation,
    MonotonicDense,
    PiecewiseLinear,
    Residual,
    Scale,
)
from sknn.layers.monotonic import MONOTONIC_ACTIVATIONS
from sknn.losses import LOSSES, Loss, Quantile
from sknn.network import Network

pytest.importorskip("onnx")

N_IN = 4
EXAMPLES = {
    "dense": [Dense(3)],
    "activation": [Activation(name) for name in ACTIVATIONS],
    "dropout": [Dropout(0.4)],
    "batch_norm": [BatchNorm(epsilon=0.1)],
    "layer_norm": [LayerNorm(0.1)],
    "residual": [
        Residual([LayerNorm(), Activation("tanh"), Dense(N_IN)]),
        Residual([Dense(5), Activation("silu"), Residual([Dense(2)])]),
    ],
    "embedding": [
        Embedding((2, 3, 1, 2)),
        Embedding((2, 3, 1, 2), dim=3, one_hot_max_size=2),
        Embedding((2, 0, 1, 30), dim=1, one_hot_max_size=0),
    ],
    "plr": [PLR(3, 2, 0.5)],
    "pbld": [PBLD(3, 3, 0.5)],
    "piecewise_linear": [PiecewiseLinear(4), PiecewiseLinear(5, 3)],
    "columns": [
        Columns([((0, 2), PBLD(2, 2)), ((1, 3), Embedding((3, 2)))]),
        Columns([(range(1, 4), Dense(2)), ((3, 0, 3), None), ((0, 1), Dropout(0.3))]),
    ],
    "scale": [Scale()],
    "monotonic_dense": [MonotonicDense(3), MonotonicDense(2, signs=(1, 0, -1, 0))],
    "monotonic_activation": [MonotonicActivation(n) for n in MONOTONIC_ACTIVATIONS],
}
EACH = pytest.mark.parametrize(
    "layer", [layer for examples in EXAMPLES.values() for layer in examples], ids=repr
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
TOLERANCES = {np.float32: 1e-6, np.float64: 1e-13}

# Codes, halves between them, what embeddings take for unseen, far ends of functions.
ROWS = np.array(
    [[0, 1, 0, 1], [1, 2, 1, 0], [0.5, 1.5, -1, 2], [9, -3, 0.3, 30], [-7, 45, -45, 0]]
)


def is_close(found, expected):
    """Tell whether the largest difference is rounding of the largest number."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    limit = TOLERANCES[expected.dtype.type] * max(1, np.abs(expected).max(initial=0))
    return np.abs(found - expected).max(initial=0) <= limit


def shaken_network(layers, dtype):
    """A network whose parameters are where training might have brought them."""
    rng = np.random.RandomState(0)
    network = Network(layers, N_IN, np.float64, rng)
    network.values += 0.2 * np.abs(rng.normal(size=network.values.shape))
    network.adapt(rng.normal(size=(50, N_IN)))
    return network.copy(dtype)


def model_of(network):
    graph = Graph()
    x = graph.input("X", network.values.dtype, N_IN)
    graph.outputs["y"] = emit_chain(network.layers, x, network.views)
    assert graph.outputs["y"].width == network.n_outputs
    return as_model(graph, "layers")


def test_every_layer_activation_and_loss_has_a_rule():
    assert set(LAYER_RULES) == set(LAYERS.values())
    assert set(EXAMPLES) == set(LAYERS)
    assert set(ACTIVATION_RULES) == set(ACTIVATIONS)


@EACH
@DTYPES
def test_graphs_compute_what_layers_compute(layer, dtype, run):
    network = shaken_network([layer], dtype)
    model = model_of(network)
    X = ROWS.astype(dtype)
    assert is_close(run(model, X)["y"], network.predict(X))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_in_float64_are_exact_from_one_end_to_the_other(name, run):
    network = Network([Activation(name)], N_IN)
    z = np.concatenate([-np.geomspace(40, 1e-9, 200), np.geomspace(1e-9, 40, 200)])
    found = run(model_of(network), z.reshape(-1, N_IN))["y"]
    np.testing.assert_allclose(
        found, network.predict(z.reshape(-1, N_IN)), rtol=1e-13, atol=3e-16
    )


def test_missing_codes_are_embedded_as_unseen(run):
    network = shaken_network([Embedding((2, 3, 9, 1), one_hot_max_size=2)], float)
    X = np.full((1, N_IN), np.nan)
    assert np.array_equal(run(model_of(network), X)["y"], network.predict(X))


@EACH
def test_any_number_of_rows_goes_in(layer, run):
    network = shaken_network([layer], float)
    model = model_of(network)
    for n in (0, 1):
        found = run(model, ROWS[:n].astype(float))["y"]
        assert is_close(found, network.predict(ROWS[:n]))


LINKED = [*(kind() for kind in LOSSES.values()), Quantile((0.1, 0.5, 0.9))]
LINKED += [Quantile(q) for q in ((0.2, 0.7), (0.6, 0.7, 0.9), (0.1, 0.2, 0.3, 0.4))]


@pytest.mark.parametrize("loss", LINKED, ids=repr)
@DTYPES
def test_graphs_predict_what_losses_predict(loss, dtype, run):
    raw = np.random.default_rng(0).normal(0, 3, (5, loss.n_raw(3))).astype(dtype)
    raw[0], raw[1] = 60, -60
    graph = Graph()
    graph.outputs["y"] = emit_link(loss, graph.input("X", dtype, raw.shape[1]))
    found = run(as_model(graph, "link"), raw)["y"]
    expected = np.ascontiguousarray(loss.link_inverse(raw.copy()), dtype)
    if loss.link == "identity":
        assert is_close(found, expected)
    else:  # small probabilities, and small means, to all digits
        np.testing.assert_allclose(found, expected, rtol=20 * TOLERANCES[dtype])


class Doubling(Dense):
    """A layer of one's own."""


class Squared(Loss):
    """A loss with a link of its own."""

    def link_inverse(self, raw):
        return raw**2


def test_layers_without_a_rule_are_refused_until_they_have_one(monkeypatch, run):
    monkeypatch.setattr("sknn.export._layers.LAYER_RULES", dict(LAYER_RULES))
    x = Graph().input("X", float, N_IN)
    with pytest.raises(ValueError, match=r"layer_rule\(Doubling\)"):
        emit(Doubling(3), x, {})

    @layer_rule(Doubling)
    def rule(layer, x, p):
        return x.affine(2 * p["W"], p["b"])

    network = shaken_network([Doubling(3)], float)
    expected = ROWS @ (2 * network.views[0]["W"]) + network.views[0]["b"]
    assert is_close(run(model_of(network), ROWS.astype(float))["y"], expected)


def test_losses_with_a_link_of_their_own_are_refused():
    with pytest.raises(ValueError, match="link of its own"):
        emit_link(Squared(), Graph().input("X", float, 1))
