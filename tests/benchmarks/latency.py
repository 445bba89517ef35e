"""Time of a prediction for one row: sknn, onnxruntime on its graph, scikit-learn.

    OMP_NUM_THREADS=1 python tests/benchmarks/latency.py [--repeats 40] [--calls 100]

All three have the same weights, in the same precision, and one thread. They are called
in turn, `--calls` times each; quoted are medians over the repeats, in microseconds for
one call, and the median ratio of sknn to scikit-learn. Needs onnx and onnxruntime for
their column.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402

from sknn import MLPClassifier, MLPRegressor  # noqa: E402
from sknn.export import to_onnx, to_sklearn  # noqa: E402

# Columns, hidden layers, classes.
NETS = [(20, (100,), 10), (20, (64, 32), 3), (50, (256, 256), 2)]


def models(n_features, hidden, n_classes, dtype):
    """A classifier and a regressor, and one row."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, n_features)).astype(dtype)
    y = np.arange(200) % n_classes
    settings = {"hidden_layer_sizes": hidden, "max_iter": 2, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        classifier = MLPClassifier(**settings).fit(X, y)
        regressor = MLPRegressor(**settings).fit(X, X[:, 0])
    return classifier, regressor, X[:1].copy()


def session_of(model):
    """A call of onnxruntime for one row, None without it."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        to_onnx(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda row: session.run(None, {"X": row})


def microseconds(call, row, n):
    started = time.perf_counter()
    for _ in range(n):
        call(row)
    return (time.perf_counter() - started) / n * 1e6


def compare(ours, method, row, repeats, n):
    """Median times of one call, and the median of ours over scikit-learn's."""
    calls = [getattr(ours, method), session_of(ours), getattr(to_sklearn(ours), method)]
    calls = [call or (lambda row: None) for call in calls]
    times = np.array([[microseconds(c, row, n) for c in calls] for _ in range(repeats)])
    return np.median(times, axis=0), np.median(times[:, 0] / times[:, 2])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--calls", type=int, default=100)
    given = parser.parse_args()
    print("| network | | method | sknn | onnxruntime | scikit-learn | ratio |")
    print("|---|---|---|---|---|---|---|")
    for n_features, hidden, n_classes in NETS:
        for dtype in (np.float32, np.float64):
            models_ = models(n_features, hidden, n_classes, dtype)
            classifier, regressor, row = models_
            name = "-".join(map(str, (n_features, *hidden, n_classes)))
            for model, method in (
                (classifier, "predict"),
                (classifier, "predict_proba"),
                (regressor, "predict"),
            ):
                what = f"{method}, {'labels' if model is classifier else 'numbers'}"
                times, ratio = compare(model, method, row, given.repeats, given.calls)
                shown = " | ".join(f"{t:.0f}" for t in times)
                print(
                    f"| {name} | {np.dtype(dtype)} | {what} | {shown} | {ratio:.2f} |"
                )


if __name__ == "__main__":
    main()
