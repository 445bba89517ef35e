"""BatchNorm, LayerNorm, Residual: PyTorch's numbers, statistics, frozen layers."""

import json
import pathlib

import numpy as np
import pytest

from sknn.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.objective import Objective
from sknn.tape import Tape

ORACLE = json.loads(
    (pathlib.Path(__file__).parents[1] / "parity" / "torch_oracle.json").read_text()
)["layers"]

# Our layer, and where each of PyTorch's parameters stands in it; T: transposed.
NORM = {"weight": "gamma", "bias": "beta"}
RUNNING = {"running_mean": "mean", "running_var": "variance"}
CASES = {
    "batch_norm": (BatchNorm(), {**NORM, **RUNNING}),
    "batch_norm_of_other_settings": (BatchNorm(0.3, 0.01), {**NORM, **RUNNING}),
    "layer_norm": (LayerNorm(), NORM),
    "residual": (
        Residual([LayerNorm(), Activation("tanh"), Dense(4)]),
        {
            "inner.0.weight": "0.gamma",
            "inner.0.bias": "0.beta",
            "inner.2.weight": "2.W.T",
            "inner.2.bias": "2.b",
        },
    ),
    "residual_with_projection": (
        Residual([Dense(3), BatchNorm(), Activation("gelu")]),
        {
            "inner.0.weight": "0.W.T",
            "inner.0.bias": "0.b",
            "inner.1.weight": "1.gamma",
            "inner.1.bias": "1.beta",
            "inner.1.running_mean": "1.mean",
            "inner.1.running_var": "1.variance",
            "projection.weight": "P.T",
        },
    ),
}


def find(views, path):
    """The array under a dotted path, transposed where it ends in T."""
    for name in path.removesuffix(".T").split("."):
        views = views[name]
    return views.T if path.endswith(".T") else views


def close(ours, theirs):
    theirs = np.array(theirs).reshape(ours.shape)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_every_stored_layer_is_compared():
    assert set(CASES) == set(ORACLE)


@pytest.mark.parametrize("name", CASES)
def test_values_gradients_and_statistics_are_those_of_pytorch(name):
    layer, places = CASES[name]
    network, stored = Network([layer], 4), ORACLE[name]
    (views,) = network.views
    for theirs, ours in places.items():
        at = find(views, ours)
        at[...] = np.array(stored["start"][theirs]).reshape(at.shape)
    assert [step["training"] for step in stored["passes"]] == [True, True, True, False]
    for step in stored["passes"]:
        tape = Tape(training=step["training"], recording=True)
        x, dy = np.array(step["x"]), np.array(step["dy"])
        close(network.forward(x, tape), step["y"])
        if not step["training"]:
            close(network.forward(x, Tape()), step["y"])
            close(network.predict(x), step["y"])
        (gradient,) = network.split(np.full_like(network.values, np.nan))
        network.backward(dy.copy(), tape, [gradient])
        for theirs, expected in step["gradients"].items():
            close(find(gradient, places[theirs]), expected)
        close(network.backward(dy.copy(), tape), step["dx"])
        if step["training"]:
            network.update_buffers(tape)
        for theirs, expected in step["buffers"].items():
            if theirs in places:
                close(find(views, places[theirs]), expected)


# BatchNorm -----------------------------------------------------------------------


def batch(n=6, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=(n, 4))


def test_a_batch_comes_out_with_mean_0_and_variance_1():
    y = Network([BatchNorm(epsilon=1e-12)], 4, rng=np.random.RandomState(0)).forward(
        batch(50), Tape(training=True)
    )
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-10)


def test_a_constant_column_gives_beta():
    network = Network([BatchNorm()], 4, rng=np.random.RandomState(0))
    network.views[0]["beta"][...] = 3.0
    y = network.forward(np.full((5, 4), 1e8), Tape(training=True))
    np.testing.assert_array_equal(y, 3.0)


@pytest.mark.parametrize("layer", [BatchNorm(), BatchNorm(trainable=False)])
def test_one_sample_and_a_frozen_layer_use_the_running_statistics(layer):
    network = Network([layer], 4, rng=np.random.RandomState(0))
    network.views[0]["mean"][...] = 1.5
    network.views[0]["variance"][...] = 4.0
    x = batch(5 if not layer.trainable else 1)
    tape = Tape(training=True)
    y = network.forward(x, tape)
    np.testing.assert_allclose(y, (x - 1.5) / np.sqrt(4.0 + 1e-5), rtol=1e-12)
    kept = network.values.copy()
    network.update_buffers(tape)
    np.testing.assert_array_equal(network.values, kept)


def test_a_weight_of_two_counts_as_two_samples_and_zero_as_none():
    x, dy = batch(4), np.random.default_rng(1).normal(size=(4, 4))
    w = np.array([[1.0], [2.0], [0.0], [1.0]])
    rows = [0, 1, 1, 3]
    network = Network([BatchNorm()], 4, rng=np.random.RandomState(0))
    weighted, repeated = Tape(training=True), Tape(training=True)
    weighted.sample_weight = w
    y, expected = network.forward(x, weighted), network.forward(x[rows], repeated)
    np.testing.assert_allclose(y[[0, 1, 3]], expected[[0, 1, 3]], rtol=1e-12)
    # As the loss has it, a sample's gradient holds its weight.
    dx = network.backward(dy * w, weighted)
    twins = network.backward(dy[rows], repeated)
    twins[1] += twins[2]
    np.testing.assert_allclose(dx[[0, 1, 3]], twins[[0, 1, 3]], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dx[2], 0, atol=1e-12)


def test_weighted_gradients_are_difference_quotients(differences):
    x, dy = batch(5), np.random.default_rng(1).normal(size=(5, 4))
    w = np.array([[0.5], [2.0], [0.0], [1.0], [1.5]])
    network = Network(
        [BatchNorm(), Activation("tanh")], 4, rng=np.random.RandomState(0)
    )

    def project():
        tape = Tape(training=True)
        tape.sample_weight = w
        return float((network.forward(x, tape) * dy).sum())

    tape = Tape(training=True)
    tape.sample_weight = w
    network.forward(x, tape)
    dx = network.backward(dy.copy(), tape)
    np.testing.assert_allclose(dx, differences(project, x), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", [np.zeros((4, 1)), np.eye(4)[:, :1]])
def test_weights_that_leave_no_two_samples_move_no_statistics(weights):
    network = Network([BatchNorm()], 4, rng=np.random.RandomState(0))
    tape, kept = Tape(training=True), network.values.copy()
    tape.sample_weight = weights
    assert np.isfinite(network.forward(batch(4), tape)).all()
    network.update_buffers(tape)
    np.testing.assert_array_equal(network.values, kept)


def test_equal_weights_move_the_statistics_as_none_do():
    networks = [Network([BatchNorm()], 4, rng=np.random.RandomState(0)) for _ in "ab"]
    for network, w in zip(networks, (None, np.full((6, 1), 0.7)), strict=True):
        tape = Tape(training=True)
        tape.sample_weight = w
        network.forward(batch(), tape)
        network.update_buffers(tape)
    np.testing.assert_allclose(networks[0].values, networks[1].values, rtol=1e-12)


def test_statistics_stand_at_the_end_of_the_vector_and_have_no_gradient():
    network = Network([Dense(3), BatchNorm(), Dense(2)], 4)
    assert network.n_buffers == 6
    assert network.n_trainable == network.n_parameters - 6
    assert network.n_penalized == 4 * 3 + 3 * 2
    network.views[1]["mean"][...] = 7.0
    assert (network.values[-6:] == 7.0).sum() == 3


def test_a_stack_moves_each_networks_own_statistics():
    layers = [Dense(3), BatchNorm(), Residual([Dense(3), BatchNorm()])]
    single = [Network(layers, 4, rng=np.random.RandomState(s)) for s in range(3)]
    stack = Network.stack(single)
    X = np.stack([batch(seed=s) for s in range(3)])
    tape = Tape(training=True)
    stack.forward(X, tape)
    stack.update_buffers(tape)
    for network, x, values in zip(single, X, stack.values, strict=True):
        own = Tape(training=True)
        network.forward(x, own)
        network.update_buffers(own)
        np.testing.assert_allclose(values, network.values, rtol=1e-12, atol=1e-14)


# Residual and frozen layers ------------------------------------------------------


def test_a_block_of_zeros_is_the_identity():
    network = Network([Residual([Activation("tanh"), Dense(4)])], 4)
    np.testing.assert_array_equal(network.forward(batch(), Tape()), batch())


def test_the_gradient_passes_a_block_unchanged_besides_its_branch():
    network = Network([Residual([Dense(4)])] * 50, 4)  # all kernels zero
    tape = Tape(training=True)
    network.forward(batch(), tape)
    np.testing.assert_array_equal(network.backward(batch(seed=1), tape), batch(seed=1))


def test_a_projection_appears_only_where_the_width_changes():
    assert "P" not in Network([Residual([Dense(3), Dense(4)])], 4).views[0]
    assert Network([Residual([Dense(3)])], 4).views[0]["P"].shape == (4, 3)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_layers_stay_and_the_others_have_their_gradient(frozen, differences):
    layers = [
        Dense(5, trainable=frozen != 0),
        Residual([LayerNorm(), Dense(5)], trainable=frozen != 1),
        Dense(2, trainable=frozen != 2),
    ]
    network = Network(layers, 4, rng=np.random.RandomState(0))
    objective = Objective(network, LOSSES["squared_error"](), alpha=0.1)
    X, y = batch(), np.random.default_rng(2).normal(size=(6, 2))
    n = network.n_trainable
    assert 0 < n < network.n_parameters
    own = network.split(np.arange(network.n_parameters))[frozen]
    inner = own["1"]["W"] if frozen == 1 else own["W"]
    assert (inner >= n).all()

    objective.value_and_gradient(X, y)
    gradient = objective.gradient[:n].copy()
    numeric = differences(
        lambda: objective.value_and_gradient(X, y), network.values[:n]
    )
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)


def test_a_frozen_block_freezes_all_within():
    block = Residual([Dense(4), Residual([BatchNorm(), Dense(4)])], trainable=False)
    assert Network([block], 4).n_trainable == 0
    assert not block.layers[1].layers[0].trainable


def test_a_layer_prints_as_the_call_that_makes_it():
    block = Residual([Dense(4), BatchNorm(momentum=0.5)], trainable=False)
    assert repr(block) == (
        "Residual((Dense(4, trainable=False), BatchNorm(momentum=0.5, "
        "trainable=False)), trainable=False)"
    )
    assert repr(Residual([Dense(4), Activation("relu")])) == (
        "Residual((Dense(4), Activation('relu')))"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dense(0), "'units' parameter of Dense"),
        (lambda: Dense(2.5), "'units' parameter of Dense"),
        (lambda: Dense("3"), "'units' parameter of Dense"),
        (lambda: Dense(True), "'units' parameter of Dense"),
        (lambda: Activation("rellu"), "'name' parameter of Activation"),
        (lambda: Dropout(1.0), "'rate' parameter of Dropout"),
        (lambda: Dropout("a"), "'rate' parameter of Dropout"),
        (lambda: BatchNorm(momentum=0.0), "'momentum' parameter of BatchNorm"),
        (lambda: BatchNorm(epsilon=0.0), "'epsilon' parameter of BatchNorm"),
        (lambda: LayerNorm(-1.0), "'epsilon' parameter of LayerNorm"),
        (lambda: Residual([]), "'layers' parameter of Residual"),
        (lambda: Residual("relu"), "'layers' parameter of Residual"),
        (lambda: Residual([Dense]), "'layers' parameter of Residual"),
    ],
)
def test_bad_fields_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
