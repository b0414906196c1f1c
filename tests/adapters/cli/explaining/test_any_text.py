"""Any text is explained or refused; nothing of it breaks out, and no secret of it comes back."""

import json
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.testing.signing import b64url, rendered
from tests.adapters.cli.worlds import Stage

CANARY = "c4n4ry-0f-4-s3cr3t-v4lu3-th4t-n0b0dy-m4y-s33"
NAMES = ("iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "sid", "at_hash", "events")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(
    st.sampled_from(("alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc")), VALUES, max_size=4
)
CLAIMS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), VALUES, max_size=6)
AGAINST = ("--issuer", "https://op.example", "--client-id", "c", "--nonce", "n")


def explained(subject: str, *options: str) -> str:
    told = Stage(stdin=StringIO(subject)).run("explain", "-", *options)
    data = Stage(stdin=StringIO(subject)).run("explain", "-", *options, "--json")
    assert told.status == data.status
    assert told.status in {0, 1, 2}
    if data.status != 2:
        json.loads(data.out)
    return told.out + told.err + data.out + data.err


@given(subject=st.text(max_size=60))
def test_any_text_is_explained_or_refused(subject: str) -> None:
    assert "\x1b" not in explained(subject)


@given(header=HEADERS, claims=CLAIMS)
def test_any_token_is_explained_without_its_signature(
    header: dict[str, object], claims: dict[str, object]
) -> None:
    parts = [b64url(rendered(part)) for part in ({"alg": "ES256", **header}, claims)]

    shown = explained(".".join([*parts, CANARY]), *AGAINST)

    assert CANARY not in shown
    assert ".".join(parts) not in shown


@given(
    names=st.lists(
        st.sampled_from(("code", "state", "id_token", "access_token", "session_state", "ticket")),
        max_size=4,
    ),
    error=st.text(max_size=9),
)
def test_any_callback_is_explained_without_its_secrets(names: list[str], error: str) -> None:
    query = "&".join([*[f"{name}={CANARY}" for name in names], f"error={error}"])

    assert CANARY not in explained(f"https://rp.example/cb?{query}", *AGAINST)
    assert CANARY not in explained(f"https://rp.example/cb#{query}")
