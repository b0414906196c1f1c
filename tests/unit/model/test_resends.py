"""Whether a refresh token in doubt is sent again."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.model.policy import Policy
from oidc_core.model.resends import Grace, checked_resend
from oidc_core.wire.errors import UsageError


@pytest.mark.parametrize("rule", ["never", "once", "reusable", Grace(1), Grace(60)])
def test_a_rule_is_a_setting_of_the_policy(rule: Any) -> None:
    assert checked_resend(rule) == rule
    assert Policy(resend_in_doubt=rule).resend_in_doubt == rule


def test_without_a_rule_a_token_is_resent_once() -> None:
    assert Policy().resend_in_doubt == "once"


ODD: list[Any] = [0, -1, 1.5, True, None, "60"]


@pytest.mark.parametrize(
    "rule", [None, "", "twice", 60, ["once"], (60,), {}, *[Grace(seconds) for seconds in ODD]]
)
def test_anything_else_is_refused_by_its_name(rule: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Policy(resend_in_doubt=rule)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "resend_in_doubt")
