from __future__ import annotations

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.samples import misbehaviour
from oidc_core import UsageError
from tests.parties import refused


def test_a_row_is_found_by_its_name() -> None:
    assert misbehaviour("wrong_nonce") is MISBEHAVIOURS["wrong_nonce"]


def test_an_unknown_name_is_refused() -> None:
    refused(UsageError, "config_invalid", lambda: misbehaviour("right_nonce"))
