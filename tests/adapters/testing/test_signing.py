"""Keys and tokens of the fake provider."""

import pytest

from oidc_adapters.testing.signing import JwtDraft, SigningKey, public_pem
from oidc_adapters.testing.signing_keys import private_key

from .raw_client import NOW, claims_of, header_of

SECRET = SigningKey(alg="HS256", kid=None, private=b"secret")


def test_a_secret_is_never_published() -> None:
    with pytest.raises(TypeError, match="not published"):
        SECRET.public_jwk()
    assert public_pem(SECRET) == b""


def test_a_key_shows_nothing_of_itself() -> None:
    assert "secret" not in repr(SECRET)


def test_a_draft_is_changed_without_changing_it() -> None:
    key = SigningKey(alg="EdDSA", kid="one", private=private_key("EdDSA", "one"))
    draft = JwtDraft(header={"alg": "EdDSA"}, claims={"sub": "alice", "x": 1}, key=key, now=NOW)

    changed = draft.with_claims(y=2).without_claims("x").with_header(typ="JWT").signed_by(SECRET)

    assert claims_of(changed.signed()) == {"sub": "alice", "y": 2}
    assert header_of(changed.signed()) == {"alg": "HS256", "typ": "JWT"}
    assert claims_of(draft.signed()) == {"sub": "alice", "x": 1}
