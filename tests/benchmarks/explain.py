"""Time of explanations beside those of shap, at equal work and at equal error.

Run with ``OMP_NUM_THREADS=1 python tests/benchmarks/explain.py``, about 15 minutes, or
``--quick`` for the ratios on few rows. shap's own DeepExplainer and captum need
PyTorch; they are compared where it is installed. All rows of a table are timed in one
process, one after another.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import shap
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPClassifier
from sknn.explain import explain


def bc30():
    """Return a network on breast cancer, its rows and its background."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    net = MLPClassifier((64, 32), max_iter=60, random_state=0).fit(X, y)
    return net, X[:100], X[200:300]


def digits():
    """Return a network on digits, its rows and its background."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    net = MLPClassifier((100,), max_iter=60, random_state=0).fit(X, y)
    return net, X[:100], X[200:300]


NETS = {"bc30 (64, 32)": bc30, "digits (100,)": digits}


def timed(function, repeats=1):
    """Return the median seconds of calls, and the last result."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds)), result


def error(values, reference):
    """Return the relative distance in the Euclidean norm."""
    return float(np.linalg.norm(values - reference) / np.linalg.norm(reference))


def kernel_explainer(net, X, background, **options):
    """Return the values of shap's KernelExplainer."""
    explainer = shap.KernelExplainer(lambda Z: net.decision_function(Z), background)
    return explainer.shap_values(X, silent=True, **options)


def against_kernel(name, n_rows):
    """Print deep, and walks at equal error, over KernelExplainer(l1_reg=False)."""
    net, X, background = NETS[name]()
    few = X[:n_rows]
    kernel, values = timed(lambda: kernel_explainer(net, few, background, l1_reg=False))
    kernel *= len(X) / n_rows
    options = {"background": background, "random_state": 0}
    reference = explain(net, few, method="permutation", rounds=64, **options).values
    print(f"\n{name}: 100 rows, 100 background rows; error over 64 rounds of walks\n")
    print("| method | dtype | seconds | error | Kernel's time over it |")
    print("|---|---|---|---|---|")
    off = error(values, reference)
    print(f"| shap Kernel, l1_reg=False | float64 | {kernel:.1f} | {off:.4f} | 1 |")
    for method in ("deep", "permutation"):
        for dtype in ("float32", "float64"):
            seconds, found = timed(
                lambda m=method, d=dtype: explain(net, X, method=m, dtype=d, **options),
                5 if method == "deep" else 1,
            )
            own = error(found.values[:n_rows], reference)
            # errors of walks shrink with the root of the time
            equal = seconds * (own / off) ** 2 if method == "permutation" else seconds
            print(
                f"| {method} | {dtype} | {seconds:.4f} | {own:.4f} "
                f"| {kernel / seconds:.0f}"
                + (f", at equal error {kernel / equal:.0f}" if equal != seconds else "")
                + " |",
                flush=True,
            )
    return net, X, background, reference


def against_permutation(net, X, background, reference, n_rows):
    """Print walks over shap's PermutationExplainer at equal error."""
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.PermutationExplainer(
        lambda Z: net.decision_function(Z), masker, seed=0
    )
    few = X[:n_rows]
    explainer(few[:1], silent=True)  # numba compiles at the first call
    theirs, values = timed(lambda: explainer(few, silent=True).values)
    off = error(values, reference)
    for dtype in ("float32", "float64"):
        seconds, found = timed(
            lambda d=dtype: explain(
                net,
                few,
                method="permutation",
                dtype=d,
                background=background,
                random_state=0,
            )
        )
        own = error(found.values, reference)
        ratio = theirs / (seconds * (own / off) ** 2)
        print(
            f"| shap Permutation over walks | {dtype} | {theirs:.2f} s, {off:.4f} "
            f"| {seconds:.2f} s, {own:.4f} | {ratio:.0f} at equal error |",
            flush=True,
        )


def against_exact():
    """Print `exact` on a pipeline with strings over shap's Exact on codes."""
    import pandas as pd

    rng = np.random.RandomState(0)
    n, levels = 400, np.array(list("abcdefg"))
    frame = pd.DataFrame({f"n{j}": rng.normal(size=n) for j in range(6)})
    for j in range(4):
        frame[f"s{j}"] = rng.choice(levels, n)
    y = (frame["n0"] + (frame["s0"] == "a") > 0).astype(int)
    strings = [name for name in frame if name.startswith("s")]
    encode = ColumnTransformer(
        [("s", OneHotEncoder(sparse_output=False), strings)], remainder="passthrough"
    )
    model = make_pipeline(encode, MLPClassifier((32, 16), max_iter=30)).fit(frame, y)
    X, background = frame[:10], frame[100:200]
    seconds, found = timed(
        lambda: explain(model, X, background=background, method="exact")
    )
    codes = frame.copy()
    for name in strings:
        codes[name] = np.searchsorted(levels, frame[name])
    codes = codes.to_numpy(float)

    def predict(Z):
        table = pd.DataFrame(Z, columns=frame.columns)
        for name in strings:
            table[name] = levels[table[name].astype(int)]
        return model.decision_function(table)

    masker = shap.maskers.Independent(codes[100:200], max_samples=100)
    explainer = shap.ExactExplainer(predict, masker)
    explainer(codes[:1], silent=True)  # numba compiles at the first call
    theirs, other = timed(lambda: explainer(codes[:10], silent=True).values)
    print(
        f"\nexact on strings, 10 columns, 10 rows: {seconds:.2f} s; shap's Exact on "
        f"codes: {theirs:.1f} s ({theirs / seconds:.0f} ×); largest difference "
        f"{np.abs(found.values - other).max():.1e}"
    )


def against_lime(n_rows):
    """Print native LIME over the lime package with as many samples."""
    print("\n| net | discretizer | native, s | lime's time over it | correlation |")
    print("|---|---|---|---|---|")
    for name, make in NETS.items():
        net, X, background = make()
        for discretizer in (None, "quartile"):
            ours = partial(
                explain,
                net,
                background=background,
                method="lime",
                discretizer=discretizer,
                random_state=0,
            )
            seconds, found = timed(partial(ours, X, native=True), 3)
            theirs, other = timed(partial(ours, X[:n_rows], native=False))
            theirs *= len(X) / n_rows
            same = np.corrcoef(found.values[:n_rows].ravel(), other.values.ravel())
            print(
                f"| {name} | {discretizer} | {seconds:.3f} | {theirs / seconds:.0f} "
                f"| {same[0, 1]:.3f} |",
                flush=True,
            )


def against_torch():
    """Print `deep` over shap's DeepExplainer and captum, where there is PyTorch."""
    try:
        import torch
    except ImportError:
        print("\nPyTorch is not installed: DeepExplainer is not compared.")
        return
    torch.set_num_threads(1)
    print("\n| net | dtype | deep, s | shap Deep over it | difference |")
    print("|---|---|---|---|---|")
    for name, make in NETS.items():
        net, X, background = make()
        for dtype in ("float32", "float64"):
            model = as_torch(torch, net, dtype)
            x, b = (torch.tensor(a.astype(dtype)) for a in (X, background))
            theirs, values = timed(partial(deep_explainer, model, x, b))
            ours = partial(explain, net, X, background=background, method="deep")
            seconds, found = timed(partial(ours, dtype=dtype), 5)
            apart = np.abs(np.asarray(values).reshape(found.shape) - found.values).max()
            print(
                f"| {name} | {dtype} | {seconds:.4f} | {theirs / seconds:.0f} "
                f"| {apart:.1e} |",
                flush=True,
            )


def deep_explainer(model, x, background):
    """Return the values of shap's DeepExplainer."""
    explainer = shap.DeepExplainer(model, background)
    return explainer.shap_values(x, check_additivity=False)


def as_torch(torch, net, dtype):
    """Return a network as PyTorch's."""
    modules = []
    for W, b in zip(net.coefs_, net.intercepts_, strict=True):
        if modules:
            modules.append(torch.nn.ReLU())
        linear = torch.nn.Linear(*W.shape).to(getattr(torch, dtype))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W.T))
            linear.bias.copy_(torch.tensor(b))
        modules.append(linear)
    return torch.nn.Sequential(*modules)


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    n_rows = 4 if parser.parse_args().quick else 20
    against_torch()
    against_lime(n_rows)
    against_exact()
    for name in NETS:
        found = against_kernel(name, n_rows)
        against_permutation(*found, n_rows)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
