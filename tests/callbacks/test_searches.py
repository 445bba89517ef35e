"""scikit-learn's own callbacks watch a whole search of networks."""

import pytest
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier
from sknn.callbacks import TimeLimit
from sknn.estimators._sklearn import SUPPORTS_CALLBACKS

pytestmark = pytest.mark.skipif(
    not SUPPORTS_CALLBACKS, reason="sklearn.callback is new in scikit-learn 1.9"
)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_progress_bar_of_scikit_learn_runs_over_a_search(iris, n_jobs, capfd):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    # With callbacks of its own, too: the two kinds do not know of each other.
    network = MLPClassifier(
        (3,), learning_rate="cosine", max_iter=4, callbacks=TimeLimit(60.0)
    )
    search = GridSearchCV(network, {"alpha": [1e-4, 1e-2]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar()).fit(*iris)
    assert search.best_estimator_.n_iter_ == 4
    shown = capfd.readouterr().out
    assert "MLPClassifier" in shown
    assert "100%" in shown
