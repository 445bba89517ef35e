"""
From the notebook to a service: save, resume, ONNX
==================================================

A fitted network leaves the process that made it in one of three ways. As a file of
sknn, it comes back with the same bits and goes on training. As a checkpoint, it
survives a process that was killed. As an ONNX graph, it predicts where there is neither
sknn nor scikit-learn. This example walks the three ways, counts the bits that are lost,
and measures how long one row takes.
"""

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import sknn
from sknn.export import to_onnx, to_sklearn

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
folder = tempfile.TemporaryDirectory()


def network(**parameters):
    """A network that scales its columns itself: one object to take along."""
    return sknn.MLPClassifier(
        (64, 32),
        scaling="standard",
        dropout=0.1,
        learning_rate="cosine",
        learning_rate_init=0.005,
        max_iter=30,
        n_iter_no_change=np.inf,
        random_state=0,
        **parameters,
    )


# %%
# A file
# ------
#
# :func:`sknn.save` writes arrays and JSON, and no code: who loads a file runs nothing
# that stands in it. A checksum tells damage of any bit.

model = network().fit(X_train, y_train)
path = Path(folder.name) / "tumours.sknn"
sknn.save(model, path)
again = sknn.load(path)
same = np.array_equal(again.predict_proba(X_test), model.predict_proba(X_test))
print(
    f"accuracy {again.score(X_test, y_test):.3f}, {path.stat().st_size / 1024:.0f} KB"
)
print(f"the same probabilities to the bit: {same}")

damaged = bytearray(path.read_bytes())
damaged[len(damaged) // 2] ^= 1  # one bit
path.write_bytes(damaged)
try:
    sknn.load(path)
except ValueError as error:
    print(type(error).__name__, "-", str(error).split(": ")[-1])

# %%
# A fit that is killed
# --------------------
#
# With `checkpoint` a fit stores itself after each epoch. Here a callback ends the
# process, as a power cut would, in epoch 17. The same call with `resume_from` goes on
# to the end that the fit would have had, schedule, dropout and order of rows included.


def power_cut(epoch):
    if epoch.number == 17:
        raise SystemExit


checkpoint = Path(folder.name) / "checkpoint.sknn"
try:
    network(callbacks=power_cut, checkpoint=checkpoint).fit(X_train, y_train)
except SystemExit:
    stored = sknn.load(checkpoint)
    print(f"left behind: a model of {stored.n_iter_} epochs")
resumed = network().fit(X_train, y_train, resume_from=checkpoint)
print("resumed equals undisturbed:", resumed.loss_curve_ == model.loss_curve_)

# %%
# A graph
# -------
#
# :func:`~sknn.export.to_onnx` writes all that happens between a row and its answer,
# scaling included, and onnxruntime runs it. The answers differ by rounding only.


def session_of(model):
    """Load a model's graph into onnxruntime, for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        to_onnx(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


session = session_of(model)
labels, probabilities = session.run(None, {"X": X_test})
print(f"labels equal: {np.array_equal(labels, model.predict(X_test))}, ", end="")
difference = np.abs(probabilities - model.predict_proba(X_test)).max()
print(f"largest difference {difference:.0e}")

# %%
# One row, many rows
# ------------------
#
# A service answers one row at a time. There, the time is that of calls and checks, and
# hardly of arithmetic. Compared are three that have the same weights and get rows that
# are scaled already: a network of sknn, its graph, and the network of scikit-learn that
# :func:`~sknn.export.to_sklearn` makes of it. All use one thread.

scaler = StandardScaler().fit(X_train)
inner = network().set_params(scaling=None).fit(scaler.transform(X_train), y_train)
session = session_of(inner)
calls = {
    "scikit-learn": to_sklearn(inner).predict_proba,
    "sknn": inner.predict_proba,
    "onnxruntime": lambda rows: session.run(None, {"X": rows})[1],
}


def shortest_time(call, rows, repeats=60):
    """Return the least disturbed time of a call, in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call(rows)
        times.append(time.perf_counter() - start)
    return 1e6 * min(times)


sizes = [1, 10, 100, 1000]
rows = np.tile(scaler.transform(X_test), (10, 1))
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
styles = [("#D55E00", "--s"), ("#0072B2", "-o"), ("#009E73", "-.^")]
print("microseconds for   1 row   1000 rows")
with threadpool_limits(1):
    for (name, call), (color, style) in zip(calls.items(), styles, strict=True):
        times = [shortest_time(call, rows[:size]) for size in sizes]
        ax.loglog(sizes, times, style, color=color, label=name)
        print(f"{name:15s} {times[0]:8.0f} {times[-1]:11.0f}")
    itself = shortest_time(model.predict_proba, X_test[:1])
print(f"{'sknn, scaling':15s} {itself:8.0f}")
ax.set(xlabel="rows in a call", ylabel="time of the call, µs")
ax.legend()
ax.grid(alpha=0.3)
plt.show()

# %%
# The figures are those of the machine that built this page, and change from run to run.
# Their order does not: for one row the graph is the fastest by far. The last line is
# the network that scales for itself, which costs it little.
#
# Caveats. The graph checks nothing: where `predict` refuses a missing value, NaN comes
# out. It holds the predictions only, no intervals and no training. And a checksum tells
# damage, not origin: take files from people you trust, since who can write the file can
# choose the weights.

folder.cleanup()
