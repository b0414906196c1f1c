"""Where a login is at home; its flaws are in test_judge."""

import pytest

from oidc_adapters.testing.attackers.judge_logins import at_home
from oidc_adapters.testing.attackers.observations import Call, Login


@pytest.mark.parametrize(
    ("uri", "url", "given", "home"),
    [
        ("https://rp.example/a", "https://rp.example/a", {}, True),
        ("https://rp.example/a", "https://rp.example/b", {}, False),
        ("https://rp.example/a?at=1", "https://rp.example/a", {"at": "1"}, True),
        ("https://rp.example/a?at=1", "https://rp.example/a", {"at": "2"}, False),
        ("https://rp.example/a?at=1", "https://rp.example/a", {}, False),
    ],
)
def test_a_callback_is_at_home_at_its_redirect_uri(
    uri: str, url: str, given: dict[str, str], home: bool
) -> None:
    login = Login(
        browser="alice",
        issuer="https://op.example",
        parameters={"redirect_uri": uri},
        cookies=(),
        at=0,
    )
    call = Call(kind="finish", browser="alice", process=0, url=url, given=given, at=0)

    assert at_home(call, login) is home
