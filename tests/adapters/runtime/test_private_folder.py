"""A folder of this user alone: what it refuses, and that a write is whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from oidc_adapters.runtime.private_folder import PrivateFolder
from oidc_core.wire.errors import StoreFailure, UsageError

MODES: Final = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")


def refused(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        PrivateFolder(path)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "folder")
    return caught.value


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@MODES
def test_it_is_made_for_this_user_alone_and_so_are_its_files(tmp_path: Path) -> None:
    path = tmp_path / "above" / "own"
    before = os.umask(0)
    try:
        with PrivateFolder(path).opened() as folder:
            folder.write("a", b"text")
            os.close(folder.lock_file("lock"))
    finally:
        os.umask(before)
    assert mode(path) == 0o700
    assert [mode(path / name) for name in ("a", "lock")] == [0o600, 0o600]


@MODES
@pytest.mark.parametrize("bits", [0o770, 0o707, 0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "own"
    made = PrivateFolder(path)
    with made.opened():
        path.chmod(bits)
    refused(path)
    with pytest.raises(UsageError) as caught, made.opened():
        pass
    assert caught.value.code == "config_invalid"
    path.chmod(0o750)
    PrivateFolder(path)


@MODES
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    path, owner = Path("/usr"), 0
    if os.geteuid() == 0:  # who owns that one
        path, owner = tmp_path / "own", 12_345
        path.mkdir(0o700)
        os.chown(path, owner, -1)
    assert f"of user {owner}" in f"{refused(path)}"


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(0o700)
    for target in ("elsewhere", "nowhere"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(tmp_path / target)
        refused(link)
    assert not (tmp_path / "nowhere").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file")
    refused(tmp_path / "file" / "below")


def test_a_relative_path_means_the_folder_that_it_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    made = PrivateFolder(Path("own"))
    monkeypatch.chdir(tmp_path / "other")
    with made.opened() as folder:
        folder.write("a", b"text")
    assert (tmp_path / "own" / "a").read_bytes() == b"text"


def test_a_file_is_written_read_replaced_and_removed(tmp_path: Path) -> None:
    with PrivateFolder(tmp_path / "own").opened() as folder:
        assert folder.read("a") is None
        for octets in (b"first", b"", b"second" * 100_000):
            folder.write("a", octets)
            assert folder.read("a") == octets
        assert folder.names() == ["a"]
        folder.remove("a")
        assert folder.read("a") is None
        assert folder.names() == []


def test_what_a_crash_left_of_a_write_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "own"
    with PrivateFolder(path).opened() as folder:
        (path / "new").write_bytes(b"half")
        (path / "new").chmod(0o400)
        folder.write("a", b"whole")
        assert folder.names() == ["a"]
        (path / "new").symlink_to(tmp_path / "elsewhere")
        folder.write("a", b"again")
        assert folder.read("a") == b"again"
    assert not (tmp_path / "elsewhere").exists()


def test_a_symbolic_link_is_not_read_and_is_replaced_itself(tmp_path: Path) -> None:
    path, target = tmp_path / "own", tmp_path / "elsewhere"
    target.write_bytes(b"foreign")
    with PrivateFolder(path).opened() as folder:
        (path / "a").symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            folder.read("a")
        folder.write("a", b"own")
        assert folder.read("a") == b"own"
    assert target.read_bytes() == b"foreign"


@MODES
def test_a_file_that_others_can_write_to_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "own"
    with PrivateFolder(path).opened() as folder:
        folder.write("a", b"text")
        (path / "a").chmod(0o620)
        with pytest.raises(StoreFailure) as caught:
            folder.read("a")
    assert caught.value.code == "record_invalid"


@MODES
def test_what_is_no_file_is_not_read_and_nothing_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "own"
    with PrivateFolder(path).opened() as folder:
        os.mkfifo(path / "pipe", 0o600)
        (path / "folder").mkdir()
        for name in ("pipe", "folder"):
            with pytest.raises(StoreFailure) as caught:
                folder.read(name)
            assert caught.value.code == "record_invalid"


def test_a_folder_is_still_the_one_that_was_opened_if_its_path_leads_elsewhere(
    tmp_path: Path,
) -> None:
    if os.open not in os.supports_dir_fd:
        pytest.skip("this system opens files by their whole path only")
    path = tmp_path / "own"
    with PrivateFolder(path).opened() as folder:
        path.rename(tmp_path / "moved")
        path.symlink_to(tmp_path)
        folder.write("a", b"text")
    assert (tmp_path / "moved" / "a").read_bytes() == b"text"
    assert not (tmp_path / "a").exists()
