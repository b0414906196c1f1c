"""Tokens and key sets that are unusual and legal: a client has to accept them."""

from collections.abc import Callable
from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours import forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Deviation
from oidc_adapters.testing.misbehaviours.conditions import (
    BY_OPERATION,
    SIGNATURES,
    Condition,
    always,
    both,
    of_client,
    of_policy,
)
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import JwtDraft, compact, is_array, is_object, rendered


def _token(
    name: str, summary: str, change: forgeries.JwtChange, *, when: Condition = always
) -> Deviation:
    return Deviation(
        name=name,
        endpoint="token",
        during="login",
        summary=summary,
        changes=Changes(id_token=change),
        when=when,
    )


def _claim(name: str, summary: str, claim: str, value: object) -> Deviation:
    return _token(name, summary, forgeries.with_claim(claim, value))


def _header(name: str, summary: str, member: str, value: object) -> Deviation:
    return _token(name, summary, forgeries.with_header(member, value))


def _keys(
    name: str,
    summary: str,
    change: Callable[[list[object]], list[object]],
) -> Deviation:
    def changed(members: Members) -> Members:
        keys = members["keys"]
        return {**members, "keys": change([*keys] if is_array(keys) else [])}

    return Deviation(
        name=name,
        endpoint="keys",
        during="login",
        summary=summary,
        changes=Changes(key_set=changed),
        when=SIGNATURES,
    )


def _besides(name: str, summary: str, *more: object) -> Deviation:
    return _keys(name, f"publishes {summary} besides", lambda keys: [*more, *keys])


def _each(change: Callable[[dict[str, object]], Members]) -> Callable[[list[object]], list[object]]:
    return lambda keys: [change(key) for key in keys if is_object(key)]


def _minus(*names: str) -> Callable[[list[object]], list[object]]:
    return _each(lambda key: {name: key[name] for name in key if name not in names})


def _plus(name: str, value: object) -> Callable[[list[object]], list[object]]:
    return _each(lambda key: {**key, name: value})


def _without_header(*names: str) -> forgeries.JwtChange:
    def change(draft: JwtDraft) -> str:
        header = {name: value for name, value in draft.header.items() if name not in names}
        return evolve(draft, header=header).signed()

    return change


def _spaced(draft: JwtDraft) -> str:
    """Put white space into header and payload, as Java renderers did."""
    header = rendered(dict(draft.header)).replace(b",", b" ,\r\n ")
    return compact(header, b" " + rendered(dict(draft.claims)) + b"\n", draft.key)


def _shifted(name: str, seconds: int) -> forgeries.JwtChange:
    return forgeries.claim_later(name, seconds)


def _list_of_one(draft: JwtDraft) -> str:
    return draft.with_claims(aud=[draft.claims["aud"]]).signed()


def _fractions(draft: JwtDraft) -> str:
    return draft.with_claims(iat=draft.now - 0.5, exp=draft.now + 300.25).signed()


_SESSIONS_UNNAMED: Final = of_client(lambda client: not client.backchannel_logout_session_required)
_ID_TOKEN_ALONE: Final = both(
    of_policy(lambda policy: policy.userinfo == "never"),
    lambda policy, client, request: not BY_OPERATION["refresh"](policy, client, request),
    lambda _policy, _client, request: request.expected_sub is None,
)
"""Nobody says anything else about the user: not UserInfo, not a refresh, not the request."""

_BAD_N: Final = {"kty": "RSA", "n": "AAAA", "e": "AQAB", "kid": "bad", "alg": "RS256"}
_CLAIMS: Final = (
    _token("aud_list_of_one", "names the audience in a list", _list_of_one),
    _token("no_azp", "names no authorized party", forgeries.without_claim("azp")),
    _token(
        "no_login_at_hash",
        "sends no at_hash",
        forgeries.without_claim("at_hash"),
        when=of_policy(lambda policy: not policy.require_at_hash),
    ),
    _token("no_sid", "names no session", forgeries.without_claim("sid"), when=_SESSIONS_UNNAMED),
    _token("iat_within_leeway", "is ten seconds ahead", _shifted("iat", 10)),
    _token("exp_within_leeway", "sends an ID token that ended just now", _shifted("exp", -10)),
    _token("nbf_within_leeway", "sends an ID token that begins soon", _shifted("nbf", 10)),
    _token("exp_in_a_year", "sends an ID token for a year", _shifted("exp", 365 * 86_400)),
    _token("times_with_fractions", "tells fractions of seconds", _fractions),
    _claim("amr_text", "names methods in a text", "amr", "pwd"),
    _claim("amr_numbers", "names methods by numbers", "amr", [1]),
    _claim("claim_unknown", "states more than was asked for", "https://x.example/é", {"a": [None]}),
    _claim("claim_null", "states null", "name", None),
    _claim("claim_long", "states a long text", "description", 20_000 * "x"),
    _claim("email_verified_text", "says true by a text", "email_verified", "true"),
    _token(
        "sid_number_at_login",
        "names the session by a number",
        forgeries.with_claim("sid", 7),
        when=_SESSIONS_UNNAMED,
    ),
    _claim("c_hash_of_no_flow", "binds the ID token to another code", "c_hash", "AAAA"),
    _claim("header_names", "states claims with names of the header", "alg", "none"),
    _claim("python_names", "states claims with names of Python", "__class__", "x"),
    _claim("jti", "names the ID token", "jti", "an-identifier"),
    _token(
        "sub_of_victim",
        "names the user as another provider names its own",
        forgeries.with_claim("sub", "victim@honest-op.example"),
        when=_ID_TOKEN_ALONE,
    ),
    _claim("victim_of_another", "states the e-mail address of another", "email", "bob@op.example"),
)
_HEADERS: Final = (
    _token("no_typ", "does not say what it is", _without_header("typ")),
    _token("no_kid", "names no key where there is one", _without_header("kid")),
    _header("typ_lower_case", "writes jwt", "typ", "jwt"),
    _header("typ_id_token", "says that it is an ID token", "typ", "ID+JWT"),
    _header("typ_jose", "says JOSE", "typ", "JOSE"),
    _header("cty_json", "says that JSON is inside", "cty", "json"),
    _header("header_unknown", "adds header members", "x", {"y": 1}),
    _header("header_zip", "names a compression that JWS has not", "zip", "DEF"),
    _header("header_x5t", "names a certificate by its hash", "x5t", "AAAA"),
    _header("header_jku", "names a key set besides", "jku", "https://elsewhere.example/keys"),
    _header("header_sub", "names a user in the header", "sub", "mallory"),
    _token(
        "header_b64",
        "says that the payload is encoded",
        lambda draft: draft.with_header(b64=True).signed(),
    ),
    _token("white_space_inside", "puts white space into the ID token", _spaced),
)
_KEY_SETS: Final = (
    _besides("keys_of_tomorrow", "a key of tomorrow", {"kty": "AKP", "alg": "ML-DSA-44"}),
    _besides("keys_bad", "a key that is too short", _BAD_N),
    _besides("keys_oct", "an HMAC secret", {"kty": "oct", "k": "AAAA", "kid": "oct"}),
    _besides("keys_for_encryption", "a key that encrypts", {**_BAD_N, "use": "enc"}),
    _besides("keys_odd_items", "what is no key", 7, None, "key", []),
    _besides("keys_without_kty", "a key without a type", {"kid": "x"}),
    _besides("keys_many_bad", "a hundred bad keys", *(100 * [_BAD_N])),
    _besides("keys_private", "a private key", {**_BAD_N, "d": "AAAA"}),
    _keys("keys_without_use", "does not say what its keys are for", _minus("use")),
    _keys("keys_without_alg", "does not say how its keys sign", _minus("alg")),
    _keys("keys_twice", "publishes its keys twice", lambda keys: [*keys, *keys]),
    _keys("keys_ops", "says that its keys verify", _plus("key_ops", ["verify"])),
    _keys("keys_unknown_members", "adds members to its keys", _plus("x5u", "https://x.example")),
    _keys("keys_null_d", "says that there is no private part", _plus("d", None)),
    _keys("keys_issuer", "names something else as the issuer of a key", _plus("issuer", "a text")),
)
ROWS: Final = (*_CLAIMS, *_HEADERS, *_KEY_SETS)
