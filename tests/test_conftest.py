"""The settings of the suite hold what the suite relies on."""

import pathlib
import socket

import pytest
from joblib import Parallel, delayed

pytest_plugins = ["pytester"]
CONFTEST = pathlib.Path(__file__).parent / "conftest.py"


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
@pytest.mark.parametrize("address", ["192.0.2.1", "example.org"])
def test_connections_beyond_this_machine_are_refused(method, address):
    with socket.socket() as client, pytest.raises(RuntimeError, match=address):
        getattr(client, method)((address, 80))


def test_connections_on_this_machine_work():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=10) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_a_share_of_the_parameters_is_run_and_each_test_at_least_once(pytester):
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makepyfile("""
        import pytest

        def test_alone(): pass

        @pytest.mark.parametrize("i", range(300))
        def test_many(i): pass

        @pytest.mark.parametrize("i", range(2))
        def test_few(i): pass
    """)
    collected = [
        pytester.runpytest("--collect-only", "-q", "--share", "3").outlines
        for _ in range(2)
    ]
    assert collected[0][:-1] == collected[1][:-1]
    found = [line.partition("::")[2].partition("[")[0] for line in collected[0]]
    assert found.count("test_alone") == 1
    assert 1 <= found.count("test_few") <= 2
    assert 70 < found.count("test_many") < 130


def test_loky_workers_work():
    squares = Parallel(n_jobs=2, backend="loky")(delayed(pow)(i, 2) for i in range(4))
    assert squares == [0, 1, 4, 9]
