"""Records that cross a process: each reads back as it was, and old ones go on being read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from attrs import NOTHING, Attribute, AttrsInstance, evolve, fields

from oidc_core import codec
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.model.connection import Connection
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.grants import MOST_ACCESS, Access, Failure, GrantRecord, Target, Unverified
from oidc_core.model.pending import PendingLogin, pending_id_of
from oidc_core.model.provider import ProviderMetadata, metadata_of
from oidc_core.model.records import PendingLogout, Tokens
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.jsontypes import MAX_DEPTH, JsonObject, parse_object
from oidc_core.wire.limits import LIMITS
from oidc_core.wire.way import Channel

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

STATE = "c3RhdGUtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"

SMALL_LOGIN = PendingLogin(
    id=pending_id_of(STATE),
    connection=Connection(
        issuer="https://op.example",
        client_id="client-1",
        connection_id="",
        endpoints_digest="0123456789abcdef",
        policy_digest="e3b0c44298fc1c14",
    ),
    state=STATE,
    code_verifier="dmVyaWZpZXItMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA",
    binding_digest="0123456789abcdef0123456789abcdef",
    redirect_uri="https://app.example/callback",
    demands=Demands(
        nonce="bm9uY2UtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA",
        started_at=1_800_000_000,
        scope="openid",
    ),
)
FULL_LOGIN = evolve(
    SMALL_LOGIN,
    connection=SMALL_LOGIN.connection._replace(connection_id="tenant-1"),
    response_mode="form_post",
    expects_iss=True,
    demands=evolve(
        SMALL_LOGIN.demands,
        max_age=0,
        required_acr=("gold", "silver"),
        essential_claims=("email",),
        sub="alice",
        sub_iss="https://op.example",
        resource=("https://api.example/",),
        prompt_login="proven",
    ),
    account="user-7",
    return_to="/é?a=b",
)
UNPROMPTED_LOGIN = evolve(FULL_LOGIN, demands=evolve(FULL_LOGIN.demands, prompt_login=""))
"""As it was written before there was ``prompt_login``."""

SMALL_TOKENS = Tokens(
    issuer="https://op.example",
    client_id="client-1",
    access_token="access",
    id_token="e30.e30.c2ln",
    scope="openid",
    subject="alice",
)
FULL_TOKENS = evolve(
    SMALL_TOKENS,
    refresh_token="refresh",
    scope="openid offline_access",
    resource=("https://api.example/",),
    expires_at=1_800_003_600,
    thumbprint="kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    nonce="bm9uY2UtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA",
    sid="session-1",
    auth_time=0,
)
SMALL_GRANT = GrantRecord(
    version="version-1",
    tokens=evolve(SMALL_TOKENS, access_token=""),
    changed_at=1_000,
    until=1_800_100_000,
)
NEW_ACCESS = Access(
    Target("openid", ("https://api.example/",)), "access-2", "openid", 900, 3_600, 1_800_003_500
)
FULL_GRANT = GrantRecord(
    version="version-2",
    tokens=evolve(FULL_TOKENS, access_token=""),
    access=(Access(Target(), "access", "openid", 800), NEW_ACCESS),
    hint="e30.e30.aGludA",
    generation=3,
    parent=2,
    born=1,
    state="unverified",
    attempt="attempt-1",
    sends=2,
    first_sent_at=880,
    last_sent_at=890,
    held_until=920,
    rotates=False,
    misses=4,
    guarded=True,
    bare_400=True,
    last_failure=Failure("provider_error", "later", "later", "slow_down", "timeout"),
    unverified=Unverified(
        "e30.e30.bmV3", NEW_ACCESS, 1_800_000_000, Channel("verified", addresses_judged=True)
    ),
    changed_at=1_000,
    until=1_800_100_000,
)
SMALL_METADATA = ProviderMetadata(issuer="https://op.example")
DOCUMENT = metadata_of(
    JsonObject(
        {
            "issuer": "https://op.example",
            "authorization_endpoint": "https://op.example/authorize?p=v",
            "token_endpoint": "https://op.example/token",
            "jwks_uri": "https://op.example/jwks",
            "userinfo_endpoint": "https://op.example/userinfo",
            "end_session_endpoint": "https://op.example/logout",
            "registration_endpoint": "https://op.example/register",
            "revocation_endpoint": "https://op.example/revoke",
            "introspection_endpoint": "https://op.example/introspect",
            "check_session_iframe": "https://op.example/check-session",
            "scopes_supported": ("openid", "email"),
            "response_types_supported": ("code",),
            "response_modes_supported": ("query",),
            "grant_types_supported": ("authorization_code", "refresh_token"),
            "acr_values_supported": ("gold",),
            "subject_types_supported": ("public",),
            "id_token_signing_alg_values_supported": ("RS256", "ES256"),
            "id_token_encryption_alg_values_supported": ("RSA-OAEP-256",),
            "id_token_encryption_enc_values_supported": ("A128GCM",),
            "userinfo_signing_alg_values_supported": ("RS256",),
            "userinfo_encryption_alg_values_supported": ("ECDH-ES",),
            "userinfo_encryption_enc_values_supported": ("A256GCM",),
            "token_endpoint_auth_methods_supported": ("private_key_jwt",),
            "token_endpoint_auth_signing_alg_values_supported": ("ES256",),
            "revocation_endpoint_auth_methods_supported": ("private_key_jwt",),
            "revocation_endpoint_auth_signing_alg_values_supported": ("ES256",),
            "code_challenge_methods_supported": ("S256",),
            "prompt_values_supported": ("none", "login"),
            "claims_supported": ("sub",),
            "claims_parameter_supported": True,
            "request_parameter_supported": True,
            "request_uri_parameter_supported": False,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": False,
            "require_request_uri_registration": True,
            "require_signed_request_object": True,
            "require_pushed_authorization_requests": True,
            "authorization_response_iss_parameter_supported": True,
            "tls_client_certificate_bound_access_tokens": True,
            "service_documentation": "https://op.example/docs",
            "mtls_endpoint_aliases": JsonObject({"token_endpoint": "https://mtls.op.example/"}),
            "v": "a member of the document, not of the record",
        }
    )
)
FULL_METADATA = evolve(DOCUMENT, notes=("malformed: claims_locales_supported",))
LOGOUT = PendingLogout(
    issuer="https://op.example",
    client_id="client-1",
    connection_id="staff",
    state=STATE,
    post_logout_redirect_uri="https://app.example/bye",
    created_at=1_800_000_000,
)
KEYS = parse_key_set(
    JsonObject(
        {
            "keys": (
                JsonObject(
                    {
                        "kty": "OKP",
                        "crv": "Ed25519",
                        "kid": "1",
                        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                    }
                ),
                JsonObject({"kty": "AKP", "kid": "2"}),
                "no key at all",
            )
        }
    )
)


class Kind(NamedTuple):
    """One kind of record: how it is written and read, and examples by name."""

    name: str
    dump: Callable[..., str]
    load: Callable[[str], object]
    version: int
    examples: dict[str, object]


def dump_key_set(pair: tuple[KeySet, int]) -> str:
    return codec.dump_key_set(*pair)


KINDS = [
    Kind(
        "pending_login",
        codec.dump_pending_login,
        codec.load_pending_login,
        codec.PENDING_LOGIN,
        {"small": SMALL_LOGIN, "full": FULL_LOGIN, "unprompted": UNPROMPTED_LOGIN},
    ),
    Kind(
        "pending_logout",
        codec.dump_pending_logout,
        codec.load_pending_logout,
        codec.PENDING_LOGOUT,
        {"full": LOGOUT, "small": evolve(LOGOUT, connection_id="")},
    ),
    Kind(
        "tokens",
        codec.dump_tokens,
        codec.load_tokens,
        codec.TOKENS,
        {"small": SMALL_TOKENS, "full": FULL_TOKENS},
    ),
    Kind(
        "grant",
        codec.dump_grant,
        codec.load_grant,
        codec.GRANT,
        {"small": SMALL_GRANT, "full": FULL_GRANT},
    ),
    Kind(
        "metadata",
        codec.dump_metadata,
        codec.load_metadata,
        codec.METADATA,
        {"small": SMALL_METADATA, "full": FULL_METADATA},
    ),
    Kind(
        "key_set",
        dump_key_set,
        codec.load_key_set,
        codec.KEY_SET,
        {"small": (KeySet(), 0), "full": (KEYS, 1_800_000_000)},
    ),
]
EXAMPLES = [
    pytest.param(kind, name, id=f"{kind.name}_{name}") for kind in KINDS for name in kind.examples
]
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def changed(kind: Kind, **members: object) -> str:
    """Dump the fullest example of a kind, with members replaced, or taken out by ``...``."""
    record = json.loads(kind.dump(kind.examples["full"])) | members
    return json.dumps({name: value for name, value in record.items() if value is not ...})


def refusal(kind: Kind, text: str) -> tuple[str, str]:
    with pytest.raises(StoreFailure) as caught:
        kind.load(text)
    return caught.value.code, caught.value.about


# --- golden files --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_what_was_written_by_version_1_is_still_read(kind: Kind, name: str) -> None:
    golden = (GOLDEN / f"{kind.name}_{name}.v1.json").read_text(encoding="utf-8")
    assert kind.load(golden) == kind.examples[name]


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_what_is_written_is_the_golden_file(kind: Kind, name: str) -> None:
    golden = (GOLDEN / f"{kind.name}_{name}.v{kind.version}.json").read_text(encoding="utf-8")
    assert kind.dump(kind.examples[name]) == golden.rstrip("\n")


def test_metadata_that_was_written_when_defaults_were_filled_in_is_still_read() -> None:
    """An empty list stood for one that was published empty, and flags were true or false."""
    text = (
        '{"v":1,"issuer":"https://op.example","response_modes_supported":[],'
        '"claims_parameter_supported":true,"request_uri_parameter_supported":false,'
        '"extra":{"require_pushed_authorization_requests":true}}'
    )
    assert codec.load_metadata(text) == ProviderMetadata(
        issuer="https://op.example",
        claims_parameter_supported=True,
        request_uri_parameter_supported=False,
        extra=JsonObject({"require_pushed_authorization_requests": True}),
    )


def test_every_golden_file_is_read() -> None:
    names = {f"{kind.name}_{name}.v1.json" for kind in KINDS for name in kind.examples}
    assert {path.name for path in GOLDEN.glob("*.json")} == names


@pytest.mark.parametrize(
    "full",
    [FULL_LOGIN, FULL_LOGIN.demands, FULL_TOKENS, FULL_GRANT, FULL_METADATA, LOGOUT],
    ids=lambda v: type(v).__name__,
)
def test_the_full_examples_leave_no_member_at_its_default(full: AttrsInstance) -> None:
    assert [a.name for a in fields(type(full)) if getattr(full, a.name) == a.default] == []


def test_the_full_login_leaves_no_member_of_its_connection_empty() -> None:
    assert all(FULL_LOGIN.connection)


# --- versions ------------------------------------------------------------------------------------


@EACH_KIND
def test_a_reader_takes_its_version_and_the_one_before(kind: Kind) -> None:
    for version in (kind.version, kind.version - 1):
        assert kind.load(changed(kind, v=version)) == kind.examples["full"]


@EACH_KIND
@pytest.mark.parametrize(
    "version", [-1, 2, 10**18, None, ..., "1", 1.0, True, False, [1]], ids=repr
)
def test_any_other_version_is_refused(kind: Kind, version: object) -> None:
    assert refusal(kind, changed(kind, v=version)) == ("record_version_unknown", "")


@EACH_KIND
def test_members_that_are_not_known_are_ignored(kind: Kind) -> None:
    text = changed(kind, from_the_future=True, _x=None)
    assert kind.load(text) == kind.examples["full"]


# --- what does not fit ---------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"v":1', '{"v":1,"v":1}', '{"v":NaN}', "\ufeff{}", "\ud800",
     '{"v":1,"a":"\\ud800"}', "[" * 100],
)  # fmt: skip
def test_what_is_no_record_is_refused(kind: Kind, text: str) -> None:
    assert refusal(kind, text) == ("record_invalid", "")


ACCESS: dict[str, object] = {"target": {}, "token": "access-1", "scope": "openid", "stored_at": 900}
ODD: list[object] = [None, 5, 1.5, True, "x", ["x", 5], [None], {"a": 1}]


LOGIN = KINDS[0]
OF_LOGIN = [a for a in fields(PendingLogin) if a.name not in {"id", "connection", "demands"}]


def changed_in(part: str, **members: object) -> str:
    """Dump the fullest login, with members of its connection or of its demands replaced."""
    held = json.loads(codec.dump_pending_login(FULL_LOGIN))[part] | members
    return changed(LOGIN, **{part: {name: v for name, v in held.items() if v is not ...}})


@pytest.mark.parametrize("attribute", OF_LOGIN, ids=lambda a: a.name)
def test_each_member_of_a_login_has_its_type(attribute: Attribute[object]) -> None:
    name = attribute.name
    example: object = getattr(FULL_LOGIN, name)
    for value in ODD:
        text = changed(LOGIN, **{name: value})
        if type(example) is type(value) and name != "response_mode":
            assert getattr(codec.load_pending_login(text), name) == value
        else:
            assert refusal(LOGIN, text) == ("record_invalid", name)


@pytest.mark.parametrize("attribute", fields(Demands), ids=lambda a: a.name)
def test_each_member_of_what_a_login_demands_has_its_type(attribute: Attribute[object]) -> None:
    name = attribute.name
    example: object = getattr(FULL_LOGIN.demands, name)
    for value in ODD:
        text = changed_in("demands", **{name: value})
        if name == "nonce" and value is None:
            assert codec.load_pending_login(text).demands.nonce is EXPECT_NO_NONCE
        elif type(example) is type(value) and name != "prompt_login":
            assert getattr(codec.load_pending_login(text).demands, name) == value
        else:
            assert refusal(LOGIN, text) == ("record_invalid", name)


@pytest.mark.parametrize("name", Connection._fields)
def test_each_member_of_a_connection_is_a_text_and_has_to_be_there(name: str) -> None:
    for value in (*ODD, ...):
        text = changed_in("connection", **{name: value})
        if isinstance(value, str):
            assert getattr(codec.load_pending_login(text).connection, name) == value
        else:
            assert refusal(LOGIN, text) == ("record_invalid", name)


@pytest.mark.parametrize("part", ["connection", "demands"])
def test_the_parts_of_a_login_are_objects(part: str) -> None:
    given: list[object] = [None, ..., 5, "x", [], [[]]]
    for value in given:
        assert refusal(LOGIN, changed(LOGIN, **{part: value})) == ("record_invalid", part)
    odd = changed_in(part, from_the_future=True, _x=None)
    assert codec.load_pending_login(odd) == FULL_LOGIN


@pytest.mark.parametrize("attribute", OF_LOGIN, ids=lambda a: a.name)
def test_a_member_of_a_login_that_is_absent_is_at_its_default(attribute: Attribute[object]) -> None:
    name = attribute.name
    text = changed(LOGIN, **{name: ...})
    if attribute.default is NOTHING:
        assert refusal(LOGIN, text) == ("record_invalid", name)
    else:
        default: dict[str, Any] = {name: attribute.default}
        assert codec.load_pending_login(text) == evolve(FULL_LOGIN, **default)


@pytest.mark.parametrize("attribute", fields(Demands), ids=lambda a: a.name)
def test_a_demand_that_is_absent_is_at_its_default(attribute: Attribute[object]) -> None:
    name = attribute.name
    text = changed_in("demands", **{name: ...})
    if name in {"started_at", "nonce"}:
        assert refusal(LOGIN, text) == ("record_invalid", name)
    else:
        absent: dict[str, Any] = {name: attribute.default}
        demands = evolve(FULL_LOGIN.demands, **absent)
        assert codec.load_pending_login(text).demands == demands


def test_that_no_nonce_was_sent_is_kept_apart_from_every_nonce() -> None:
    silent = evolve(SMALL_LOGIN, demands=evolve(SMALL_LOGIN.demands, nonce=EXPECT_NO_NONCE))
    text = codec.dump_pending_login(silent)
    assert '"nonce":null' in text
    assert codec.load_pending_login(text).demands.nonce is EXPECT_NO_NONCE
    for nonce in ("", "no nonce"):
        pending = evolve(SMALL_LOGIN, demands=evolve(SMALL_LOGIN.demands, nonce=nonce))
        assert codec.load_pending_login(codec.dump_pending_login(pending)) == pending


def test_a_login_that_lost_its_nonce_in_the_store_is_not_one_without() -> None:
    text = codec.dump_pending_login(SMALL_LOGIN)
    lost = re.sub(r'"nonce":"[^"]*",?', "", text)
    assert lost != text
    assert refusal(LOGIN, lost) == ("record_invalid", "nonce")


def test_the_id_of_a_login_is_derived_and_never_believed() -> None:
    assert '"id":' not in codec.dump_pending_login(FULL_LOGIN)
    assert codec.load_pending_login(changed(KINDS[0], id="planted")) == FULL_LOGIN


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (KINDS[1], "state", None),
        (KINDS[1], "created_at", "1"),
        (KINDS[2], "access_token", 5),
        (KINDS[2], "subject", ...),
        (KINDS[2], "expires_at", "3600"),
        (KINDS[2], "resource", "https://api.example/"),
        (KINDS[3], "version", ...),
        (KINDS[3], "until", ...),
        (KINDS[3], "tokens", {}),
        (KINDS[3], "tokens", []),
        (KINDS[3], "state", "asleep"),
        (KINDS[3], "state", 5),
        (KINDS[3], "generation", "3"),
        (KINDS[3], "rotates", 1),
        (KINDS[3], "sends", True),
        (KINDS[3], "access", {}),
        (KINDS[3], "access", ["access-1"]),
        (KINDS[3], "access", [{"token": "access-1"}]),
        (KINDS[3], "access", [{**ACCESS, "stored_at": "900"}]),
        (KINDS[3], "access", [{**ACCESS, "target": "openid"}]),
        (KINDS[3], "access", [{**ACCESS, "target": {"resource": "x"}}]),
        (KINDS[3], "last_failure", "down"),
        (KINDS[3], "last_failure", {"code": "down"}),
        (KINDS[3], "last_failure", {"code": "down", "kind": "bad", "retryable": "no"}),
        (KINDS[3], "unverified", "a.b.c"),
        (KINDS[3], "unverified", {"id_token": "a.b.c", "received_at": 1, "access": []}),
        (KINDS[3], "unverified", {"id_token": "a.b.c", "received_at": 1, "channel": "x"}),
        (KINDS[4], "issuer", ...),
        (KINDS[4], "claims_parameter_supported", "true"),
        (KINDS[4], "extra", []),
        (KINDS[5], "fetched_at", ...),
        (KINDS[5], "fetched_at", True),
        (KINDS[5], "fetched_at", 1.5),
        (KINDS[5], "keys", ...),
        (KINDS[5], "keys", "x"),
        (KINDS[5], "keys", [0] * 2_049),
    ],
)
def test_a_record_that_does_not_fit_is_refused(kind: Kind, name: str, value: object) -> None:
    assert refusal(kind, changed(kind, **{name: value})) == ("record_invalid", name)


# --- limits --------------------------------------------------------------------------------------


def test_tokens_of_any_size_allowed_can_be_kept() -> None:
    long = evolve(FULL_TOKENS, id_token="x" * LIMITS.id_token, access_token="y" * 40_000)
    assert codec.load_tokens(codec.dump_tokens(long)) == long


def test_a_grant_with_many_large_tokens_can_be_kept() -> None:
    held = [Access(Target(str(number)), "y" * 40_000, "openid", 0) for number in range(MOST_ACCESS)]
    large = evolve(FULL_GRANT, access=tuple(held), hint="x" * LIMITS.id_token)
    assert codec.load_grant(codec.dump_grant(large)) == large


def test_metadata_as_deep_as_was_taken_can_be_kept() -> None:
    inner = MAX_DEPTH - 1
    document = f'{{"issuer":"https://op.example","x":{"[" * inner}{"]" * inner}}}'
    metadata = metadata_of(parse_object(document.encode()))
    assert codec.load_metadata(codec.dump_metadata(metadata)) == metadata


@pytest.mark.parametrize("other", ["", ',{"kid":"b","kid":"b"}'])
def test_a_key_as_deep_as_was_taken_can_be_kept(other: str) -> None:
    """One deep or odd key in a set, once it was read, makes no record that nobody can load."""
    inner = MAX_DEPTH - 1
    document = f'{{"keys":[{{"kid":"a","x":{"[" * inner}{"]" * inner}}}{other}]}}'
    key_set = parse_key_set(document.encode())
    assert key_set.has("a")
    assert codec.load_key_set(codec.dump_key_set(key_set, 5)) == (key_set, 5)


def test_a_small_login_fits_into_a_cookie() -> None:
    assert len(codec.dump_pending_login(SMALL_LOGIN)) < 600


LOADERS: list[Callable[[Any], object]] = [
    codec.load_tokens,
    codec.load_grant,
    codec.load_pending_login,
    codec.load_pending_logout,
    codec.load_metadata,
    codec.load_key_set,
]
DUMPERS: list[Callable[[Any], object]] = [
    codec.dump_tokens,
    codec.dump_grant,
    codec.dump_pending_login,
    codec.dump_pending_logout,
    codec.dump_metadata,
    lambda value: codec.dump_key_set(value, 0),
]


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("record", [None, 5, ["{}"], {"v": 1}, bytearray(b"{}")])
def test_a_record_is_text_or_octets(load: Callable[[Any], object], record: object) -> None:
    with pytest.raises(UsageError) as caught:
        load(record)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "record")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("record", ["", b"", b"\xff", "{}", b"null", '{"v":1}', "\ud800"])
def test_a_damaged_record_is_the_stores_fault(
    load: Callable[[Any], object], record: object
) -> None:
    with pytest.raises(StoreFailure):
        load(record)


@pytest.mark.parametrize("dump", DUMPERS)
@pytest.mark.parametrize("value", [None, "{}", {"v": 1}, 5])
def test_only_the_value_of_a_record_is_dumped(dump: Callable[[Any], object], value: object) -> None:
    with pytest.raises(UsageError) as caught:
        dump(value)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "record")


def test_a_record_may_come_back_as_octets() -> None:
    tokens = Tokens(
        issuer="https://op.example",
        client_id="c",
        access_token="a",
        id_token="i",
        scope="openid",
        subject="s",
        resource=["urn:é"],
    )
    dumped = codec.dump_tokens(tokens)

    assert codec.load_tokens(dumped.encode()) == codec.load_tokens(dumped) == tokens
