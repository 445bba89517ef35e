"""The settings of the suite hold what the suite relies on."""

import socket

import pytest
from joblib import Parallel, delayed


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


def test_loky_workers_work():
    squares = Parallel(n_jobs=2, backend="loky")(delayed(pow)(i, 2) for i in range(4))
    assert squares == [0, 1, 4, 9]
