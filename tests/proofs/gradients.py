"""Compare every gradient with differences over 4 points, and with PyTorch's numbers.

    python tests/proofs/gradients.py

Every activation, loss and example of a layer, with and without weights, on dense and
sparse input; prints the largest relative difference of each. Several minutes.
"""

import importlib.util
import pathlib
import sys
import time
import warnings

import numpy as np
from scipy import sparse

from sknn.activations import ACTIVATIONS
from sknn.layers import Activation, Dense
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.objective import Objective

TESTS = pathlib.Path(__file__).parents[1]


def load(path):
    """Import a module of tests: its examples are what is tried here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # for pickles
    spec.loader.exec_module(module)
    return module


differences = load(TESTS / "conftest.py")._differences
of_layers = load(TESTS / "layers" / "test_layers.py")
of_objective = load(TESTS / "test_objective.py")
LAYERS = {repr(layer): layer for some in of_layers.EXAMPLES.values() for layer in some}


def problem(first, activation, loss, weighted, form):
    """Return an objective, its data, and weights."""
    rng = np.random.default_rng(2)
    x = of_layers.rows()
    y = of_layers.targets_for(LOSSES[loss](), len(x), rng)
    w = rng.uniform(0.2, 2.0, (len(x), 1)) if weighted else None
    layers = [*first, Dense(2), Activation(activation), Dense(loss_width(loss, y))]
    network = Network(layers, x.shape[1], rng=np.random.RandomState(1))
    # Away from the kinks of activations: no pre-activation is next to 0.
    network.views[len(first)]["b"][...] = [[0.5, -0.4]]
    if form is not None:
        x = form(np.where(np.abs(x) > 0.5, x, 0.0))
    return Objective(network, LOSSES[loss](), alpha=0.3), x, y, w


def loss_width(loss, y):
    return LOSSES[loss]().n_raw(y.shape[1])


def difference(objective, x, y, w):
    """Return how far the gradient is from the quotient, along one random direction."""
    values = objective.network.values[: objective.network.n_trainable]
    rng = np.random.default_rng(3)
    start, t = values.copy(), np.zeros(1)
    direction = rng.normal(size=start.size) / start.size

    def value():
        values[...] = start + t * direction
        objective.tape = of_layers.recording()  # random layers repeat what they drew
        return objective.value_and_gradient(x, y, w)

    numeric = differences(value, t)[0]
    value()
    gradient = objective.gradient[: objective.network.n_trainable]
    size = np.linalg.norm(gradient) * np.linalg.norm(direction)
    return abs(gradient @ direction - numeric) / max(size, 1e-3)


def against_differences():
    """Yield what was tried, and the difference."""
    firsts = {name: ([layer], None) for name, layer in LAYERS.items()}
    firsts["sparse CSR"] = ([], sparse.csr_matrix)
    firsts["sparse CSR, kernel of NTK"] = (
        [Dense(3, parametrization="ntk")],
        sparse.csr_matrix,
    )
    for name, (first, form) in firsts.items():
        for activation in ACTIVATIONS:
            for loss in LOSSES:
                for weighted in (False, True):
                    what = (name, activation, loss, weighted)
                    yield (
                        what,
                        difference(*problem(first, activation, loss, weighted, form)),
                    )


def against_pytorch():
    """Yield what was tried, and the difference from the stored gradients."""
    for stored in of_objective.STORED:
        for form in (np.asarray, sparse.csr_matrix):
            yield (stored["loss"], form.__name__), from_stored(stored, form)


def from_stored(stored, form):
    layers, sizes = [], [len(b) for b in stored["b"]]
    for units, name in zip(sizes[:-1], stored["activations"], strict=True):
        layers += [Dense(units), Activation(name)]
    X, y = np.array(stored["X"]), np.array(stored["y"])
    w = None if stored["w"] is None else np.array(stored["w"])
    network = Network([*layers, Dense(sizes[-1])], X.shape[1])
    dense = [views for views in network.views if views]
    for views, W, b in zip(dense, stored["W"], stored["b"], strict=True):
        views["W"][...], views["b"][...] = W, b
    objective = Objective(network, LOSSES[stored["loss"]](), stored["alpha"])
    objective.value_and_gradient(form(X), y, w)
    ours = [views for views in network.split(objective.gradient) if views]
    far = 0.0
    for views, d_W, d_b in zip(ours, stored["d_W"], stored["d_b"], strict=True):
        for a, b in ((views["W"], np.array(d_W)), (views["b"], np.array([d_b]))):
            far = max(far, np.abs(a - b).max() / np.abs(b).max())
    return far


def report(what, found, limit):
    """Print the largest difference; return whether it is too large."""
    found = dict(found)
    worst = max(found, key=found.get)
    far = found[worst]
    print(f"{what}: {len(found)} gradients, largest difference {far:.1e} at {worst}")
    return not far <= limit


def main():
    warnings.simplefilter("error")
    begin = time.perf_counter()
    bad = report("differences over 4 points", against_differences(), 1e-6)
    bad |= report("stored numbers of PyTorch", against_pytorch(), 1e-10)
    print(f"{time.perf_counter() - begin:.0f} s")
    sys.exit(bad)


if __name__ == "__main__":
    main()
