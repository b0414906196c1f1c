"""Where logins are kept."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import evolve

from oidc_adapters.cli.commands import Kept, RealProvider
from oidc_adapters.cli.keeping import Keeping, Profile, client_of, folder_of, profile_of
from oidc_adapters.stores.records.files import FileRecords
from oidc_core.wire.errors import StoreFailure, UsageError

from .worlds import NOW, Stage

PROVIDER = RealProvider(issuer="https://op.example", client_id="c", auth_method="none", ca="ca.pem")
PROFILE = evolve(profile_of(PROVIDER, "file", NOW), grant_id="g", subject="alice")


def keeping(folder: Path, profile: str = "default") -> Keeping:
    return Keeping(Kept(profile=profile, folder=folder), Stage().world)


def test_a_profile_is_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    kept = keeping(tmp_path / "oidc")
    kept.keep(PROFILE)
    kept.keep(evolve(PROFILE, subject="bob"))

    assert keeping(tmp_path / "oidc").profile().subject == "bob"
    kept.forget()
    kept.forget()
    with pytest.raises(UsageError) as none:
        kept.profile()
    assert (none.value.code, none.value.about, none.value.found) == (
        "config_invalid",
        "profile",
        "default",
    )


def in_vain(*_: object) -> bool:
    return False


def test_of_two_that_keep_at_once_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeping(tmp_path)
    monkeypatch.setattr(FileRecords, "create", in_vain)

    with pytest.raises(StoreFailure) as refused:
        kept.keep(PROFILE)

    assert (refused.value.code, refused.value.about) == ("store_unavailable", "profile")


def test_a_profile_is_text_and_back() -> None:
    assert Profile.of(PROFILE.text) == PROFILE
    assert Path(PROFILE.ca).is_absolute()
    assert PROFILE.auth_method == "none"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", PROFILE.text.replace('"c"', "7"), PROFILE.text.replace("}", ',"x":1}')]
)
def test_another_text_is_no_profile(text: str) -> None:
    with pytest.raises(StoreFailure) as refused:
        Profile.of(text)

    assert (refused.value.code, refused.value.about) == ("record_invalid", "profile")


@pytest.mark.skipif(os.name == "nt", reason="Windows has a place of its own")
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/.local/state/oidc"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/oidc"),
        ({"HOME": "/h", "XDG_STATE_HOME": "relative"}, "/h/.local/state/oidc"),
    ],
)
def test_the_folder_is_where_the_system_has_state(
    environ: Mapping[str, str], expected: str
) -> None:
    assert folder_of(environ, None) == Path(expected)
    assert folder_of(environ, Path("given")) == Path("given")


def test_a_user_without_a_home_names_the_folder() -> None:
    with pytest.raises(UsageError) as refused:
        folder_of({}, None)

    assert refused.value.about == "folder"


def test_the_sealing_secret_is_made_once(tmp_path: Path) -> None:
    first, second = keeping(tmp_path).tokens("file"), keeping(tmp_path, "work").tokens("file")

    assert repr(first) == repr(second) == "Grants(FileRecords)"
    keeping(tmp_path).documents()
    assert len(list((tmp_path / "tokens").glob("*.record"))) == 1


def test_a_client_of_a_profile_has_its_settings(tmp_path: Path) -> None:
    profile = evolve(PROFILE, ca="")
    with client_of(profile, keeping(tmp_path), Stage().world) as client:
        rp = client.rp

    assert (rp.issuer, rp.client.client_id) == ("https://op.example", "c")
    assert rp.policy.revoke_at_logout is True
    assert rp.policy.quirks == frozenset()


@pytest.mark.parametrize("place", ["env:GONE", "file:/no/such/file"])
def test_a_secret_that_is_gone_is_told(tmp_path: Path, place: str) -> None:
    profile = evolve(PROFILE, secret_from=place, auth_method="")

    with ExitStack() as stack, pytest.raises(UsageError) as refused:
        stack.enter_context(client_of(profile, keeping(tmp_path), Stage().world))

    assert (refused.value.code, refused.value.expected) == (
        "credential_missing",
        place.partition(":")[2],
    )


@pytest.mark.skipif(os.name != "posix", reason="elsewhere modes tell nothing")
def test_the_folder_belongs_to_this_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keeping(tmp_path / "oidc").keep(PROFILE)
    finally:
        os.umask(before)
    assert (tmp_path / "oidc").stat().st_mode & 0o777 == 0o700

    (tmp_path / "oidc").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path)
    for odd in ("oidc", "link"):
        with pytest.raises(UsageError) as refused:
            keeping(tmp_path / odd)
        assert (refused.value.code, refused.value.about) == ("config_invalid", "folder")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreFailure) as refused:
        keeping(tmp_path / ("long" * 99))
    assert (refused.value.code, refused.value.about) == ("store_unavailable", "folder")
