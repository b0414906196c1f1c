"""The hostile provider: it lies as it was told, and behaves again."""

import pytest

from oidc_adapters.testing.attackers.hostile import Lies
from oidc_adapters.testing.attackers.world import HOSTILE
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


def code_after(lies: Lies) -> str:
    """Return the code that a login is refused with after these lies."""
    made = machine()
    made.world.hostile.lies = lies
    browser = made.world.browsers["bob"]
    made.world.start(browser, browser.tabs[0], HOSTILE, 0)
    for _ in range(2):
        made.world.open(browser, browser.tabs[0], browser.tabs[0].following)
    assert broken(made) == ""
    return last(made.world).code


@pytest.mark.parametrize(
    ("lies", "code"),
    [
        (Lies(), ""),
        (Lies({"sub": "mallory"}), "sub_mismatch"),  # UserInfo says otherwise
        (Lies({"iss": "https://honest.example"}), "iss_mismatch"),
        (Lies({"aud": "evil", "azp": None}), "aud_mismatch"),
        (Lies({"nonce": "another"}), "nonce_mismatch"),
        (Lies({"nonce": None}), "nonce_missing"),
        (Lies({"at_hash": "another"}), "at_hash_mismatch"),
        (Lies({"exp": 1_600_000_000, "iat": 1_599_999_000}), "exp_expired"),
        (Lies(key="none"), "alg_not_allowed"),
        (Lies(key="public as secret"), "alg_not_allowed"),
        (Lies(key="unpublished"), "signature_invalid"),
        (Lies(key="second"), "signature_invalid"),
        (Lies(key="broken"), "signature_invalid"),
        (Lies(key="encryption"), "key_use_mismatch"),
        (Lies(replayed="a.b.c"), "base64url_malformed"),
        (Lies(without_id_token=True), "id_token_missing"),
        (Lies(userinfo_sub="mallory"), "sub_mismatch"),
    ],
)
def test_each_lie_is_refused(lies: Lies, code: str) -> None:
    assert code_after(lies) == code


def test_a_provider_that_behaves_again_is_believed() -> None:
    made = machine()
    made.world.hostile.lies = Lies(key="none")
    made.world.hostile.behave()

    assert logged_in(made, issuer=HOSTILE).issuer == HOSTILE


def test_more_keys_are_published_for_other_uses() -> None:
    made = machine()
    logged_in(made, issuer=HOSTILE)

    uses = [key["use"] for key in made.world.history.keys[HOSTILE]]
    assert uses == ["sig", "sig", "enc"]
