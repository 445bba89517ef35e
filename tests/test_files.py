"""A file is written whole or not at all."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sknn._files import open_atomically, write_atomically


@pytest.fixture(params=["nameless", "named"])
def path(request, tmp_path, monkeypatch):
    """Where to write; on Linux the data wait in a file without a name, or with one."""
    if request.param == "named":
        monkeypatch.setattr("sknn._files._open_nameless", lambda folder: None)
    return tmp_path / "data.bin"


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("kind", [str, Path])
def test_data_come_back_and_nothing_else_is_left(path, kind):
    for data in (b"old, and longer", b"new", b""):
        assert write_atomically(kind(path), data) is None
        assert path.read_bytes() == data
    assert names(path.parent) == ["data.bin"]


def test_a_relative_name_is_one_of_the_working_folder(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    write_atomically(path.name, b"here")
    assert path.read_bytes() == b"here"


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    long = tmp_path / ("n" * 255)
    write_atomically(long, b"x")
    assert long.read_bytes() == b"x"


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_temporary(
    path, monkeypatch, function, error
):
    path.write_bytes(b"old")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.bin"]


def test_what_is_no_bytes_leaves_the_old_file_and_no_temporary(path):
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "text")
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.bin"]


def test_a_file_written_in_pieces_appears_when_it_is_whole(path):
    path.write_bytes(b"old")
    with open_atomically(path) as file:
        file.write(b"____ and ")
        file.write(b"last")
        file.seek(0)
        file.write(b"head")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"head and last"
    assert names(path.parent) == ["data.bin"]


@pytest.mark.parametrize("error", [ValueError("half"), KeyboardInterrupt()])
def test_an_exception_between_pieces_leaves_the_old_file_and_no_temporary(path, error):
    path.write_bytes(b"old")
    with pytest.raises(type(error)), open_atomically(path) as file:
        file.write(b"x" * 100_000)
        raise error
    assert file.closed
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.bin"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_atomically(tmp_path / "nowhere" / "data.bin", b"x")


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(path, b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_stays_a_link(path):
    link = path.with_name("link")
    link.symlink_to(path.name)
    write_atomically(link, b"x")
    assert link.is_symlink()
    assert path.read_bytes() == b"x"


def test_the_folder_is_synchronised_after_the_name_is_there(path, monkeypatch):
    seen = []
    fsync = os.fsync

    def watch(descriptor):
        seen.append(path.exists())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    write_atomically(path, b"x")
    assert seen == ([False, True] if os.name == "posix" else [False])


def test_all_data_have_left_the_buffer_before_they_are_synchronised(path, monkeypatch):
    sizes = []

    def watch(descriptor):
        sizes.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", watch)
    write_atomically(path, b"x" * 10)
    assert sizes[0] == 10


def test_a_folder_that_cannot_be_opened_is_no_failure(path, monkeypatch):
    def refuse(*args):
        raise PermissionError("a folder")

    monkeypatch.setattr("sknn._files.os.open", refuse)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_writers_at_once_leave_the_data_of_one_of_them(path):
    sizes = [1, 10_000, 100_000]

    def write(size):
        for _ in range(10):
            write_atomically(path, b"x" * size)

    threads = [threading.Thread(target=write, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert len(path.read_bytes()) in sizes
    for thread in threads:
        thread.join()
    assert names(path.parent) == ["data.bin"]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_killed_writer_leaves_whole_data(path):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "import _files\n"
        "print('ready', flush=True)\n"
        "for i in range(10**9):\n"
        "    _files.write_atomically(sys.argv[1], bytes([i % 256]) * 200_000)\n"
    )
    folder = Path(sys.modules["sknn._files"].__file__).parent
    command = [sys.executable, "-c", script, str(path), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        while not path.exists():
            pass
        writer.send_signal(signal.SIGKILL)
    data = path.read_bytes()
    assert len(data) == 200_000
    assert len(set(data)) == 1
