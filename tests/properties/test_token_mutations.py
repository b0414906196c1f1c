"""One change to a good ID token: the token is refused, or the change is one that may be made.

Every change after the signing is refused, always. A token that the provider itself signs with one
different member is refused unless a predicate below says why it is harmless.

    ./test tests/properties/test_token_mutations.py --hypothesis-profile=deep \
        -n 2 --dist=worksteal -o faulthandler_timeout=600

makes 200,000 examples of it, in four minutes on two cores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oidc_adapters.testing.signing import compact, half_hash, rendered
from oidc_core.machine.steps import Done
from oidc_core.model.demands import Demands
from oidc_core.operations.validation import validate
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject
from tests.parties import ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, RP, SUB, claims_for, with_keys
from tests.signing import mac_key, published, signed, signed_octets, signing_key
from tests.strategies import json_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from oidc_core.endpoints.id_token import CheckedIdToken
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.wire.jsontypes import JsonValue

PROFILE: Final = settings().max_examples
DEEP: Final = 20_000


def often(percent: int) -> settings:
    """The deep profile shares 200,000 examples among the tests of this module."""
    return settings(max_examples=2_000 * percent if PROFILE == DEEP else PROFILE)


LEEWAY: Final = 60
DAY: Final = 86_400
EDDSA: Final = signing_key("EdDSA")
DEMANDS: Final = Demands(
    nonce="nonce-1",
    started_at=NOW,
    max_age=300,
    required_acr=("gold", "silver"),
    sub=SUB,
)
CLAIMS: Final = claims_for(
    "nonce-1",
    azp=CLIENT_ID,
    nbf=NOW - 1,
    acr="gold",
    amr=["pwd"],
    auth_time=NOW - 10,
    sid="session-1",
    email="alice@op.example",
    at_hash=half_hash("EdDSA", ACCESS_TOKEN),
)
HEADER: Final[dict[str, JsonValue]] = {"alg": "EdDSA", "kid": "k1", "typ": "JWT"}


def plain(value: JsonValue) -> object:
    if isinstance(value, JsonObject):
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def registered(alg: str) -> RelyingParty:
    provider = evolve(RP.provider, id_token_signing_alg_values_supported=())
    client = evolve(RP.client, id_token_signed_response_alg=alg)
    return evolve(RP, provider=provider, client=client)


RPS: Final = {alg: registered(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA", "HS256")}
KEYS: Final = {alg: signing_key(alg) for alg in RPS if alg != "HS256"} | {"HS256": mac_key()}
SETS: Final = {alg: published(*[KEYS[alg]] * (alg != "HS256")) for alg in RPS}
TOKENS: Final = {
    alg: signed({**CLAIMS, "at_hash": half_hash(alg, ACCESS_TOKEN)}, KEYS[alg]) for alg in RPS
}


def outcome(token: str, alg: str = "EdDSA") -> CheckedIdToken | ProtocolViolation:
    """Validate a token wholly; anything raised but a violation of the protocol is a failure."""
    rp = RPS[alg]
    try:
        begun = validate(rp, token, DEMANDS, now=NOW, access_token=ACCESS_TOKEN)
        step = with_keys(rp, begun, SETS[alg])
    except ProtocolViolation as refusal:
        return refusal
    assert isinstance(step, Done)
    return step.result


def accepted(token: str) -> bool:
    return not isinstance(outcome(token), ProtocolViolation)


def test_the_tokens_are_good_before_they_are_changed() -> None:
    for alg, token in TOKENS.items():
        assert not isinstance(outcome(token, alg), ProtocolViolation), alg
    assert accepted(resigned(HEADER, CLAIMS))


# --- after the signing ---------------------------------------------------------------------------

EDITS: Final[dict[str, Callable[[str, int, str], str]]] = {
    "replace": lambda text, at, new: text[:at] + new + text[at + 1 :],
    "insert": lambda text, at, new: text[:at] + new + text[at:],
    "delete": lambda text, at, _: text[:at] + text[at + 1 :],
    "truncate": lambda text, at, _: text[:at],
    "drop": lambda text, at, _: text[at:],
    "repeat": lambda text, at, _: text[: at + 1] + text[at:],
    "swap": lambda text, at, _: text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
    "splice": lambda text, at, new: text[:at] + new * 5 + text[at + 5 :],
}
CHARACTERS: Final = st.sampled_from("AZaz09-_.=+/ \n\0é{\ud800") | st.characters()


@often(30)
@given(
    st.sampled_from(sorted(TOKENS)),
    st.integers(0, 2**16),
    st.sampled_from(sorted(EDITS)),
    CHARACTERS,
)
@example("RS256", 0, "delete", "A")
@example("ES256", 2**16 - 1, "replace", "B")
def test_a_token_changed_after_its_signing_is_refused(
    alg: str, position: int, edit: str, character: str
) -> None:
    """F30: no claim comes out of it either. Only the identical token is harmless."""
    token = TOKENS[alg]
    changed = EDITS[edit](token, position % len(token), character)

    assert isinstance(outcome(changed, alg), ProtocolViolation) == (changed != token)


@often(30)
@given(
    st.sampled_from(sorted(TOKENS)), st.integers(0, 2), st.integers(0, 2**14), st.integers(1, 255)
)
def test_an_octet_changed_after_the_signing_is_refused(
    alg: str, part: int, position: int, difference: int
) -> None:
    """E05: below the base64url, so that the form stays the same."""
    parts = TOKENS[alg].split(".")
    octets = bytearray(b64url_decode(parts[part].encode()))
    octets[position % len(octets)] ^= difference
    parts[part] = b64url_encode(bytes(octets))

    assert isinstance(outcome(".".join(parts), alg), ProtocolViolation)


# --- before the signing: the header --------------------------------------------------------------


def is_kind_of_id_token(value: JsonValue) -> bool:
    """A token may say that it is a JWT, an ID token, or just some JOSE object (RFC 7515 §4.1.9)."""
    text = "jwt" if value is None else value
    kinds = {"", "jwt", "id+jwt", "jose"}
    return isinstance(text, str) and text.lower().removeprefix("application/") in kinds


def is_no_token(value: JsonValue) -> bool:
    """Any type of content, except another token (RFC 7515 §4.1.10)."""
    text = "" if value is None else value
    return isinstance(text, str) and text.lower().removeprefix("application/") != "jwt"


def is_true_or_absent(value: JsonValue) -> bool:
    """``b64`` of true changes nothing (RFC 7797 §3)."""
    return value is None or value is True


def is_absent(value: JsonValue) -> bool:
    """``null`` counts as absent where a member may be absent."""
    return value is None


def never(_: JsonValue) -> bool:
    return False


def anything(_: JsonValue) -> bool:
    return True


HARMLESS_IN_HEADER: Final[Mapping[str, Callable[[JsonValue], bool]]] = {
    "alg": never,
    "kid": is_absent,  # exactly one key of the set fits
    "typ": is_kind_of_id_token,
    "cty": is_no_token,
    "crit": never,
    "b64": is_true_or_absent,
}
"""Any other member is unknown and ignored, or offers a key and is ignored and noted."""

HEADER_NAMES: Final = st.sampled_from(
    [*HARMLESS_IN_HEADER, "jwk", "jku", "x5u", "x5c", "x5t", "enc", "iss", "nonce", "ALG", "Kid"]
)
HEADER_WORDS: Final = st.sampled_from(
    [
        "EdDSA",
        "Ed25519",
        "Ed448",
        "ES256",
        "RS256",
        "HS256",
        "none",
        "",
        "k1",
        "K1",
        "k2",
        "JWT",
        "jwt",
        "application/jwt",
        "at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "DEF",
    ]
)


def resigned(header: Mapping[str, JsonValue], claims: Mapping[str, object]) -> str:
    """Sign a header and claims as they are."""
    return compact(rendered(plain(JsonObject(header))), rendered({**claims}), EDDSA)


@often(20)
@given(HEADER_NAMES | st.text(max_size=12), json_values() | HEADER_WORDS)
@example("jwk", JsonObject({"kty": "OKP", "crv": "Ed25519", "x": "AA"}))
@example("crit", ())
def test_a_header_with_another_member_is_refused_unless_it_is_harmless(
    name: str, value: JsonValue
) -> None:
    """E10, E21, E22, E24, E25, E26."""
    harmless = HARMLESS_IN_HEADER.get(name, anything)

    if accepted(resigned({**HEADER, name: value}, CLAIMS)):
        assert harmless(value) or value == HEADER.get(name), (name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("kid", None), ("typ", None), ("typ", "application/JWT"), ("cty", None)],
        *[("typ", "ID+JWT"), ("typ", "JOSE"), ("cty", "json"), ("b64", True), ("zip", "DEF")],
        *[("jku", "https://evil.example"), ("x5c", ("MII",)), ("ALG", "none"), ("sub", "Bob")],
    ],
)
def test_what_is_harmless_in_a_header_is_taken(name: str, value: JsonValue) -> None:
    """E10, E26, F04: over-strictness would be a fault too."""
    assert HARMLESS_IN_HEADER.get(name, anything)(value)
    assert accepted(resigned({**HEADER, name: value}, CLAIMS))


# --- before the signing: the claims --------------------------------------------------------------


def only(*values: JsonValue) -> Callable[[JsonValue], bool]:
    return lambda value: type(value) in map(type, values) and value in values


def from_to(least: float, most: float) -> Callable[[JsonValue], bool]:
    """A number, which a boolean is not, within these."""
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    )


def either(*tests: Callable[[JsonValue], bool]) -> Callable[[JsonValue], bool]:
    return lambda value: any(test(value) for test in tests)


def is_this_client(value: JsonValue) -> bool:
    """The client, or a list of only the client."""
    listed = value if isinstance(value, tuple) else (value,)
    return bool(listed) and all(item == CLIENT_ID for item in listed)


HARMLESS_IN_CLAIMS: Final[Mapping[str, Callable[[JsonValue], bool]]] = {
    "iss": only(ISSUER),
    "sub": only(SUB),
    "aud": is_this_client,
    "azp": either(is_absent, only(CLIENT_ID)),
    "nonce": only("nonce-1"),
    "at_hash": either(is_absent, only(half_hash("EdDSA", ACCESS_TOKEN))),
    "acr": only("gold", "silver"),
    "exp": from_to(NOW - LEEWAY + 1e-9, 2**53 - 1),
    "iat": from_to(NOW - DAY - LEEWAY - 1, NOW + LEEWAY + 1),
    "nbf": either(is_absent, from_to(-(2**53), NOW + LEEWAY + 1)),
    "auth_time": from_to(NOW - 300 - LEEWAY - 1, NOW + LEEWAY + 1),
    "events": never,
    "token_introspection": never,
}
"""No decision depends on any other claim: it is passed on, or counts as absent if malformed."""

NEAR: Final[Mapping[str, SearchStrategy[JsonValue]]] = {
    "iss": st.sampled_from([ISSUER, ISSUER + "/", ISSUER.upper(), ISSUER[:-1], (ISSUER,)]),
    "sub": st.sampled_from([SUB, SUB + " ", SUB.lower(), SUB + "\0", (SUB,), ""]),
    "aud": st.lists(st.sampled_from([CLIENT_ID, "other", "", CLIENT_ID + " "]), max_size=3).map(
        tuple
    ),
    "azp": st.sampled_from([CLIENT_ID, "other", CLIENT_ID.upper(), (CLIENT_ID,), ""]),
    "nonce": st.sampled_from(["nonce-1", "Nonce-1", "nonce-1 ", "nonce", "", ("nonce-1",)]),
    "at_hash": st.sampled_from([half_hash(alg, ACCESS_TOKEN) for alg in ("EdDSA", "ES256")]),
    "acr": st.sampled_from(["gold", "silver", "bronze", "Gold", ("gold",), "gold silver"]),
}
EDGES: Final = st.sampled_from(
    [
        0,
        NOW,
        NOW - LEEWAY,
        NOW + LEEWAY,
        NOW - 300 - LEEWAY,
        NOW - DAY - LEEWAY,
        2**53,
        2**31,
        10**15,
    ]
)
WRITTEN: Final[Mapping[str, Callable[[int], JsonValue]]] = {
    "int": int,
    "float": float,
    "half": lambda date: date + 0.5,
    "str": str,
    "bool": bool,
}


def date(edge: int, by: int, how: str) -> JsonValue:
    return WRITTEN[how](edge + by)


DATES: Final = st.builds(date, EDGES, st.integers(-3, 3), st.sampled_from(sorted(WRITTEN)))
CLAIM_NAMES: Final = st.sampled_from(
    [
        *HARMLESS_IN_CLAIMS,
        "amr",
        "sid",
        "email",
        "email_verified",
        "nonce_supported",
        "typ",
        "_claim_names",
    ]
)


@st.composite
def claims(draw: st.DrawFn) -> tuple[str, JsonValue]:
    """A claim, with a value that is near the good one, a date, or any JSON."""
    name = draw(CLAIM_NAMES | st.text(max_size=10))
    near = NEAR.get(name, DATES)
    return name, draw(near | DATES | json_values())


@often(10)
@given(claims())
@example(("exp", True))
@example(("aud", ()))
def test_a_claim_that_differs_is_refused_unless_it_is_harmless(
    changed: tuple[str, JsonValue],
) -> None:
    """D02, D03, D05, D06, D07, D09, D10, D12, D13, D15, D18, D21, D22, E32."""
    name, value = changed
    harmless = HARMLESS_IN_CLAIMS.get(name, anything)

    if accepted(resigned(HEADER, {**CLAIMS, name: plain(value)})):
        assert harmless(value), (name, value)


def test_only_claims_that_may_be_absent_may_be_left_out() -> None:
    """D02, D03, D07, D09, D12, D15, D21, D22."""
    harmless = {
        name
        for name in CLAIMS
        if accepted(resigned(HEADER, {key: CLAIMS[key] for key in CLAIMS if key != name}))
    }

    assert harmless == {"azp", "nbf", "amr", "sid", "email", "at_hash"}


# --- anything at all -----------------------------------------------------------------------------

SEGMENTS: Final = (
    st.sampled_from([part for token in TOKENS.values() for part in token.split(".")])
    | st.text("eyJhbGciOiJ=_-.", max_size=20)
    | st.binary(max_size=40).map(lambda octets: octets.hex())
)


@often(10)
@given(
    st.lists(SEGMENTS, max_size=5).map(".".join) | st.text(st.characters(exclude_categories=())),
    st.binary(max_size=200),
    st.sampled_from(sorted(TOKENS)),
)
def test_any_text_and_any_signed_octets_are_refused(text: str, payload: bytes, alg: str) -> None:
    """E17, F31: the token, or an error of this library, and never anything else."""
    assert isinstance(outcome(text, alg), ProtocolViolation) or text == TOKENS[alg]
    assert isinstance(outcome(signed_octets(payload, EDDSA)), ProtocolViolation)
