"""``oidc explain``."""

import pytest

from oidc_core.wire.codes import CODES

from .worlds import Stage


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_explained(code: str) -> None:
    ran = Stage().run("explain", code)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(code + "\n")
    words = " ".join(ran.out.split())
    assert CODES[code].hint in words
    assert CODES[code].spec in words
    assert CODES[code].stage in words


def test_all_codes_are_listed_once() -> None:
    ran = Stage().run("explain", "--all")

    assert ran.status == 0
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("   ")]
    assert [name for name in listed if name in CODES] == list(CODES)


def test_an_unknown_code_is_a_usage_error_with_a_hint() -> None:
    ran = Stage().run("explain", "nonce_mismach")

    assert (ran.status, ran.out) == (2, "")
    assert "near: nonce_mismatch" in ran.err
