"""Hypothesis strategies, named after the plural of the values that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, fields
from hypothesis import strategies as st

from oidc_adapters.testing import strategies
from oidc_core.model.connection import Connection
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.grants import Access, Failure, GrantRecord, GrantState, Target, Unverified
from oidc_core.model.pending import PendingLogin, ResponseMode, pending_id_of
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.records import PendingLogout, Tokens
from oidc_core.wire.codes import CODES
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json
from oidc_core.wire.way import CHANNELS
from tests.logouts import logout_claims
from tests.parties import NOW

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from hypothesis.strategies import SearchStrategy

# (octets of a coordinate, p, b): written out again, so that a slip in the core cannot hide here.
EC_CURVES: Final = {
    "P-256": (
        32,
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "P-384": (
        48,
        int("F" * 63 + "E" + "F" * 8 + "0" * 16 + "F" * 8, 16),
        int(
            "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE814112"
            "0314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF",
            16,
        ),
    ),
}

RESPONSE_MODES: Final[tuple[ResponseMode, ...]] = ("query", "form_post")


def json_values() -> SearchStrategy[JsonValue]:
    """Any JSON, frozen, with the words of JOSE among its strings."""
    return strategies.json_values().map(frozen_json)


def json_objects() -> SearchStrategy[JsonObject]:
    """Any JSON object, frozen, whose member names are often those of a JWK."""
    return strategies.json_objects().map(JsonObject)


@st.composite
def rsa_jwks(draw: st.DrawFn) -> JsonObject:
    """RSA keys without a fault, whose primes are unknown to everybody."""
    bits = draw(st.sampled_from((2048, 2056, 3072, 4096)))
    # 11 is a mark of ROCA: a modulus that is 2 modulo 11 does not bear it.
    middle = draw(st.integers(0, 2 ** (bits - 8)))
    modulus = (1 << (bits - 1)) + 2 * middle + 1
    modulus += 2 * ((2 - modulus) * 6 % 11)
    members: dict[str, JsonValue] = {
        "kty": "RSA",
        "n": b64url_encode(modulus.to_bytes((bits + 7) // 8, "big")),
        "e": draw(st.sampled_from(("AQAB", "Aw", "EQ"))),
    }
    return JsonObject({**members, **draw(attributes(("RS256", "PS256", "RS512")))})


@st.composite
def ec_jwks(draw: st.DrawFn) -> JsonObject:
    """Points on P-256 and P-384."""
    crv, alg = draw(st.sampled_from((("P-256", "ES256"), ("P-384", "ES384"))))
    octets, p, b = EC_CURVES[crv]
    x = draw(st.integers(0, p - 1))
    y = _root(x, p, b)
    while y is None:
        x = (x + 1) % p
        y = _root(x, p, b)
    members: dict[str, JsonValue] = {
        "kty": "EC",
        "crv": crv,
        "x": b64url_encode(x.to_bytes(octets, "big")),
        "y": b64url_encode(y.to_bytes(octets, "big")),
    }
    return JsonObject({**members, **draw(attributes((alg,)))})


def _root(x: int, p: int, b: int) -> int | None:
    square = (x * x * x - 3 * x + b) % p
    root = pow(square, (p + 1) // 4, p)  # both primes are 3 modulo 4
    return root if root * root % p == square else None


@st.composite
def okp_jwks(draw: st.DrawFn) -> JsonObject:
    """Ed25519 keys: any octets except those of a small order, all of which are rare."""
    x = draw(st.binary(min_size=31, max_size=31).filter(any)) + b"\x2a"
    members: dict[str, JsonValue] = {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(x)}
    return JsonObject({**members, **draw(attributes(("EdDSA", "Ed25519")))})


def attributes(algs: tuple[str, ...]) -> SearchStrategy[dict[str, JsonValue]]:
    """Members that may accompany the key itself, in any selection."""
    return st.fixed_dictionaries(
        {},
        optional={
            "kid": st.text(max_size=20),
            "alg": st.sampled_from(algs),
            "use": st.just("sig"),
            "key_ops": st.just(("verify",)),
            "x5t": st.text(max_size=10),
        },
    )


@st.composite
def akp_jwks(draw: st.DrawFn) -> JsonObject:
    """Keys of ML-DSA: any octets of the right number."""
    alg, octets = draw(st.sampled_from((("ML-DSA-44", 1312), ("ML-DSA-87", 2592))))
    pub = draw(st.binary(min_size=8, max_size=8)) * (octets // 8)
    members: dict[str, JsonValue] = {"kty": "AKP", "pub": b64url_encode(pub)}
    return JsonObject({**members, **draw(attributes((alg,))), "alg": alg})


def jwks() -> SearchStrategy[JsonObject]:
    """Public keys that the client takes."""
    return rsa_jwks() | ec_jwks() | okp_jwks() | akp_jwks()


def mixed_key_sets() -> SearchStrategy[JsonObject]:
    """JWK Sets with good keys, and arbitrary values among them."""
    keys = st.lists(jwks() | json_objects() | json_values(), max_size=6)
    return keys.map(lambda published: JsonObject({"keys": tuple(published)}))


# --- records that cross a process ----------------------------------------------------------------

MOMENTS: Final = st.integers(0, 2**53 - 1)
WORDS_OR_NONE: Final = st.none() | st.text(max_size=40)


def texts() -> SearchStrategy[tuple[str, ...]]:
    """Tuples of a few strings."""
    return st.lists(st.text(max_size=20), max_size=4).map(tuple)


@st.composite
def pending_logins(draw: st.DrawFn) -> PendingLogin:
    """Logins in flight, with any text where the core does not look into it."""
    state = draw(st.text(min_size=1, max_size=60))
    text = st.text(max_size=40)
    return PendingLogin(
        id=pending_id_of(state),
        connection=draw(connections()),
        state=state,
        code_verifier=draw(text),
        binding_digest=draw(text),
        redirect_uri=draw(text),
        response_mode=draw(st.sampled_from(RESPONSE_MODES)),
        expects_iss=draw(st.booleans()),
        demands=draw(demands()),
        account=draw(text),
        return_to=draw(text),
    )


def connections() -> SearchStrategy[Connection]:
    """The connections that logins are bound to."""
    text = st.text(max_size=40)
    return st.builds(
        Connection,
        issuer=text,
        client_id=text,
        connection_id=text,
        endpoints_digest=text,
        policy_digest=text,
    )


def demands() -> SearchStrategy[Demands]:
    """The demands of logins, with a nonce or without."""
    text = st.text(max_size=40)
    return st.builds(
        Demands,
        nonce=st.just(EXPECT_NO_NONCE) | text,
        started_at=MOMENTS,
        max_age=st.none() | MOMENTS,
        required_acr=texts(),
        essential_claims=texts(),
        sub=WORDS_OR_NONE,
        sub_iss=WORDS_OR_NONE,
        scope=text,
        resource=texts(),
    )


def pending_logouts() -> SearchStrategy[PendingLogout]:
    """Logouts in flight."""
    text = st.text(max_size=40)
    return st.builds(
        PendingLogout,
        issuer=text,
        client_id=text,
        state=text,
        post_logout_redirect_uri=text,
        created_at=MOMENTS,
    )


def stored_tokens() -> SearchStrategy[Tokens]:
    """Tokens as an application stores them."""
    text = st.text(max_size=40)
    return st.builds(
        Tokens,
        issuer=text,
        client_id=text,
        access_token=text,
        refresh_token=WORDS_OR_NONE,
        id_token=text,
        scope=text,
        resource=texts(),
        expires_at=st.none() | MOMENTS,
        thumbprint=text,
        subject=text,
        nonce=WORDS_OR_NONE,
        sid=WORDS_OR_NONE,
        auth_time=st.none() | MOMENTS,
    )


GRANT_STATES: Final[tuple[GrantState, ...]] = (
    "current", "claimed", "sending", "doubt", "unverified", "refused", "ended",
)  # fmt: skip


def targets() -> SearchStrategy[Target]:
    """Targets of access tokens; few, so that two of them are often the same."""
    return st.builds(Target, scope=st.sampled_from(("", "openid")), resource=st.just(()) | texts())


def accesses(times: SearchStrategy[int] = MOMENTS) -> SearchStrategy[Access]:
    """Access tokens of a grant."""
    return st.builds(
        Access,
        target=targets(),
        token=st.text(max_size=20),
        scope=st.text(max_size=20),
        stored_at=times,
        lifetime=st.none() | times,
        expires_at=st.none() | MOMENTS,
    )


def failures() -> SearchStrategy[Failure]:
    """Why exchanges failed, with codes that exist and others."""
    return st.builds(
        Failure,
        code=st.sampled_from(sorted(CODES)) | st.text(max_size=20),
        kind=st.sampled_from(("user", "stale", "configuration", "later", "suspicious")),
        retryable=st.sampled_from(("no", "restart", "later")),
        error=st.text(max_size=20),
        cause=st.text(max_size=20),
    )


def grant_records(times: SearchStrategy[int] = MOMENTS) -> SearchStrategy[GrantRecord]:
    """Records of shared grants, in any combination of their members."""
    few, waiting = (
        st.integers(0, 5),
        st.builds(
            Unverified,
            id_token=st.text(max_size=20),
            access=st.none() | accesses(times),
            received_at=MOMENTS,
            channel=st.sampled_from(CHANNELS),
        ),
    )
    return st.builds(
        GrantRecord,
        version=st.text(max_size=20),
        tokens=stored_tokens(),
        access=st.lists(accesses(times), max_size=3).map(tuple),
        hint=WORDS_OR_NONE,
        generation=few,
        parent=st.integers(-1, 4),
        born=few,
        state=st.sampled_from(GRANT_STATES),
        attempt=st.sampled_from(("", "attempt-1", "attempt-2")),
        sends=few,
        first_sent_at=times,
        last_sent_at=times,
        held_until=times,
        rotates=st.none() | st.booleans(),
        misses=st.integers(0, 80),
        guarded=st.booleans(),
        bare_400=st.booleans(),
        last_failure=st.none() | failures(),
        unverified=st.none() | waiting,
        changed_at=times,
        until=MOMENTS,
    )


@st.composite
def provider_metadata(draw: st.DrawFn) -> ProviderMetadata:
    """Metadata with any selection of its members, and others kept in addition."""
    values: dict[str, SearchStrategy[Any]] = {
        attribute.name: _values_of(attribute.type)
        for attribute in fields(ProviderMetadata)
        if attribute.name not in {"issuer", "extra"}
    }
    known: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=values))
    extra = draw(json_objects())
    return evolve(ProviderMetadata(issuer=draw(st.text(max_size=40)), extra=extra), **known)


def _values_of(kind: object) -> SearchStrategy[JsonValue]:
    if kind is bool or kind == bool | None:
        return st.booleans()
    return texts() if kind == tuple[str, ...] else st.text(max_size=40)


def urls() -> SearchStrategy[str]:
    """Text that is nearly a URL, with every part that two parsers may disagree about."""
    pieces = st.sampled_from(
        ("https", "http", "ftp", "://", ":", "/", "//", "?", "#", "@", "\\", "%2e", "%", ".", "..",
         "op.example", "localhost", "127.0.0.1", "127.1", "0x7f", "[::1]", "[", "]", ":443", ":0",
         ":99999", "é", "\n", " ", "\x00", "a", "-", "_", "&", "=", "{t}")
    )  # fmt: skip
    made = st.lists(pieces | st.text(max_size=3), max_size=10).map("".join)
    return made | made.map("https://op.example".__add__) | made.map("https://".__add__)


SPECIAL_BLOCKS: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::ffff:10.0.0.0/104", "::ffff:127.0.0.0/104",
    "64:ff9b::10.0.0.0/104", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
"""Blocks that nobody beyond this network, or nobody at all, is reached at."""


def special_addresses() -> SearchStrategy[IPv4Address | IPv6Address]:
    """Addresses that are not public."""
    return st.sampled_from(SPECIAL_BLOCKS).flatmap(lambda block: st.ip_addresses(network=block))


@st.composite
def logout_claim_sets(draw: st.DrawFn) -> dict[str, Any]:
    """The claims of good logout tokens: by user, by session, or both, and others."""
    words = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=20)
    named = draw(st.sampled_from((("sub",), ("sid",), ("sub", "sid"))))
    more = draw(st.dictionaries(st.sampled_from(["acr", "azp", "x", "tid"]), words, max_size=3))
    claims = logout_claims(
        iat=draw(st.integers(NOW - 180, NOW + 60)),
        exp=draw(st.integers(NOW - 59, NOW + 10_000)),
        jti=draw(words.filter(str.strip)),
        sub=draw(words) if "sub" in named else None,
        sid=draw(words.filter(str.strip)) if "sid" in named else None,
    )
    return {**more, **claims}


def logout_misbehaviours() -> SearchStrategy[str]:
    """Names of misbehaviours of a provider whose logout tokens are bad, each by itself."""
    rows = strategies.misbehaviours(during=["logout"])
    return rows.map(lambda row: row[0].name).filter("logout_replayed".__ne__)
