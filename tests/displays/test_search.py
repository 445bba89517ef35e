"""Candidates of searches: order, labels, and those without a score."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sknn.displays._search import candidates


class Search(BaseEstimator):
    """What is looked at of a search."""

    def __init__(self, refit=True):
        self.refit = refit
        self.estimator = None


def a_search(params, ranks, scores=None, name="score", **more):
    search = Search(refit=more.pop("refit", True))
    scores = [1.0 / rank for rank in ranks] if scores is None else scores
    search.cv_results_ = {
        "params": params,
        f"rank_test_{name}": np.array(ranks),
        f"mean_test_{name}": np.array(scores),
        **more,
    }
    return search


def labels(search, n_best=None):
    return [label for label, _ in candidates(search, n_best)]


def test_labels_name_what_differs():
    params = [
        {"net__a": 1, "net__b": 0.5, "c": 3},
        {"net__a": 2, "net__b": 0.5, "c": 3},
    ]
    assert labels(a_search(params, [2, 1])) == ["a=2", "a=1"]


def test_names_stay_whole_where_their_ends_are_equal():
    params = [{"one__a": 1, "two__a": 1}, {"one__a": 2, "two__a": 2}]
    assert labels(a_search(params, [1, 2])) == [
        "one__a=1, two__a=1",
        "one__a=2, two__a=2",
    ]


def test_single_candidate_has_all_its_parameters():
    assert labels(a_search([{"a": 1, "b": "x"}], [1])) == ["a=1, b=x"]


def test_grids_with_other_parameters():
    assert labels(a_search([{"a": 1}, {"b": 1}, {}], [1, 2, 3])) == [
        *("a=1", "b=1", "candidate")
    ]


def test_arrays_as_values_can_be_compared():
    params = [{"a": np.arange(2)}, {"a": np.arange(3)}]
    found = labels(a_search(params, [1, 2]))
    assert found == ["a=array([0, 1])", "a=array([0, 1, 2])"]


def test_long_values_are_cut_and_equal_labels_numbered():
    long = "x" * 100
    found = labels(a_search([{"a": long + "1"}, {"a": long + "2"}], [1, 2]))
    assert found == [f"a={'x' * 39}… (1)", f"a={'x' * 39}… (2)"]


def test_candidates_without_score_are_left_out_with_a_warning():
    search = a_search([{"a": 1}, {"a": 2}], [1, 2], [1.0, np.nan])
    with pytest.warns(UserWarning, match="1 candidates of the search have no score"):
        assert labels(search) == ["a=1"]


def test_search_whose_fits_all_failed_is_refused():
    search = a_search([{"a": 1}], [1], [np.nan])
    with pytest.raises(ValueError, match="No candidate of the search has a score"):
        candidates(search)


def test_halving_counts_the_last_round():
    params = [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}]
    search = a_search(params, [1, 3, 2, 4], iter=np.array([0, 0, 0, 1]))
    assert labels(search) == ["a=2", "a=1", "a=3"]


def test_several_scores_are_ranked_by_the_one_of_refit():
    params = [{"a": 1}, {"a": 2}]
    search = a_search(params, [2, 1], name="f1", refit="f1")
    assert labels(search) == ["a=2", "a=1"]
    search = a_search(params, [2, 1], name="f1", refit=False)
    with pytest.raises(ValueError, match=r"several scores, \['f1'\], and refit=False"):
        candidates(search)
