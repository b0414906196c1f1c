"""The provider's metadata, and how its issuer is recognised."""

from typing import Any

import pytest
from attrs import evolve, fields

from oidc_core.model.network import HTTPS_ONLY, Network, network_of
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ENDPOINTS, RESERVED_PARAMETERS, ProviderMetadata, metadata_of
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from tests.unit.parties import ISSUER, PROVIDER

MINIMAL = {"issuer": ISSUER}
NAMES = {attribute.name for attribute in fields(ProviderMetadata)} - {"extra", "notes"}
USED = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
UNUSED = [name for name in ENDPOINTS if name not in USED]
SECURITY_FLAGS = {
    "require_pushed_authorization_requests", "require_request_uri_registration",
    "require_signed_request_object", "authorization_response_iss_parameter_supported",
    "tls_client_certificate_bound_access_tokens",
}  # fmt: skip
READ = {"issuer", *USED, *SECURITY_FLAGS}
LISTS = sorted(name for name in NAMES if getattr(PROVIDER, name).__class__ is tuple)


def metadata(**members: JsonValue) -> ProviderMetadata:
    return metadata_of(JsonObject({**MINIMAL, **members}))


def refusal(members: JsonObject, network: Network = HTTPS_ONLY) -> OidcError:
    with pytest.raises(ProtocolViolation) as caught:
        metadata_of(members, network=network)
    return caught.value


# --- metadata ------------------------------------------------------------------------------------


def test_what_is_absent_or_null_names_nothing() -> None:
    """For every default: a list that a provider omits rules nothing out."""
    bare = metadata()
    assert bare == ProviderMetadata(issuer=ISSUER)
    assert {getattr(bare, name) for name in LISTS} == {()}
    assert bare.request_uri_parameter_supported is None
    assert bare.claims_parameter_supported is None
    assert {getattr(bare, name) for name in SECURITY_FLAGS} == {False}
    assert metadata(**dict.fromkeys(NAMES - {"issuer"})) == bare


@pytest.mark.req("RFC8414-2-02")
def test_support_for_pkce_is_not_assumed() -> None:
    assert metadata().code_challenge_methods_supported == ()


def test_members_that_are_not_known_are_kept() -> None:
    given: dict[str, JsonValue] = {
        "a": 1, "extra": JsonObject({"b": None}), "notes": ("c",), "mtls_endpoint_aliases": None
    }  # fmt: skip
    found = metadata(**given)
    assert found.extra == given
    assert found.notes == ()
    assert found == evolve(metadata(), extra=found.extra)


KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    tuple: "a list",
    JsonObject: "an object",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", None),
        ("issuer", 5),
        ("issuer", ()),
        ("token_endpoint", 5),
        ("token_endpoint", ("https://op.example/token",)),
        ("token_endpoint", False),
        *[(name, value) for name in sorted(SECURITY_FLAGS) for value in ("false", "", 1, ())],
        *[(name, 5) for name in sorted(READ)],
    ],
)
def test_a_member_of_a_wrong_type_that_is_read_is_refused_by_name(
    name: str, value: JsonValue
) -> None:
    error = refusal(JsonObject({**MINIMAL, name: value, "scopes_supported": 5}))
    found = None if value is None else KINDS[type(value)]
    assert (error.code, error.about, error.found) == ("metadata_invalid", name, found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, value)
            for name in LISTS
            for value in ("", ("openid", 5), ("openid", None), JsonObject({}), True)
        ],
        ("claims_parameter_supported", "true"),
        ("claims_parameter_supported", 1),
        *[(name, 5) for name in sorted(NAMES - READ)],
    ],
)
def test_a_member_of_a_wrong_type_that_nothing_reads_counts_as_absent_and_is_told(
    name: str, value: JsonValue
) -> None:
    found = metadata(**{name: value, "jwks_uri": f"{ISSUER}/jwks"})
    expected = metadata(jwks_uri=f"{ISSUER}/jwks")
    assert found == evolve(expected, notes=(f"malformed: {name}",))


@pytest.mark.parametrize("name", LISTS)
def test_a_text_in_place_of_a_list_counts_as_a_list_of_one(name: str) -> None:
    found = metadata(**{name: "client_secret_basic"})
    expected = metadata(**{name: ("client_secret_basic",)})
    assert found == evolve(expected, notes=(f"taken as a list of one: {name}",))
    assert getattr(found, name) == ("client_secret_basic",)


def test_all_that_is_malformed_is_told() -> None:
    odd = metadata(
        scopes_supported=5,
        claims_parameter_supported=5,
        claims_supported="sub",
        acr_values_supported="1",
    )
    assert odd.notes == (
        "malformed: scopes_supported",
        "malformed: claims_parameter_supported",
        "taken as a list of one: acr_values_supported",
        "taken as a list of one: claims_supported",
    )


@pytest.mark.parametrize("value", [5, "", "http://op.example/x", "https://10.0.0.1/"])
@pytest.mark.parametrize("name", USED)
def test_an_endpoint_that_this_client_has_no_use_for_counts_as_absent(
    name: str, value: JsonValue
) -> None:
    found = metadata_of({**MINIMAL, name: value}, unused={name})
    assert getattr(found, name) is None
    (note,) = found.notes
    assert name in note
    good = f"{ISSUER}/x"
    assert metadata_of({**MINIMAL, name: good}, unused={name}) == metadata(**{name: good})
    others = set(USED) - {name}
    with pytest.raises(ProtocolViolation):
        metadata_of({**MINIMAL, name: value}, unused=others)


def test_one_of_a_wrong_type_beside_one_of_a_wrong_scheme() -> None:
    members = {**MINIMAL, "jwks_uri": 5, "userinfo_endpoint": "http://op.example/x"}
    found = metadata_of(members, unused={"jwks_uri", "userinfo_endpoint"})
    notes = ("malformed: jwks_uri", "refused: userinfo_endpoint (url_scheme_not_allowed)")
    assert found == evolve(metadata(), notes=notes)


def test_metadata_without_an_issuer_is_refused() -> None:
    error = refusal(JsonObject({}))
    assert (error.code, error.about) == ("metadata_invalid", "issuer")


def test_long_lists_are_taken_as_they_are() -> None:
    many = tuple(map(str, range(10_000)))
    assert metadata(scopes_supported=many).scopes_supported == many


NO_URLS = pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://op.example/a", "url_scheme_not_allowed"),
        ("https://u@op.example/", "url_userinfo_not_allowed"),
        ("https://op.example/#f", "url_invalid"),
        ("javascript:alert(1)", "url_invalid"),
        ("file:///etc/passwd", "url_scheme_not_allowed"),
        ("--x", "url_invalid"),
        ("$(reboot)", "url_invalid"),
        ("https://op.example/$(reboot) ", "url_invalid"),
        ("https://op.example/a\nb", "url_invalid"),
        ("https://127.1/", "url_host_invalid"),
        ("https://op.example:0/", "url_port_invalid"),
        ("/token", "url_invalid"),
    ],
)


@pytest.mark.req("OIDCD-3-03", "OIDCC-3.1.2-01")
@pytest.mark.parametrize("name", USED)
@NO_URLS
def test_an_endpoint_is_an_https_url(name: str, url: str, code: str) -> None:
    error = refusal(JsonObject({**MINIMAL, name: url}))
    assert (error.code, error.about, error.found) == ("metadata_endpoint_invalid", name, code)


@pytest.mark.parametrize("name", UNUSED)
@NO_URLS
def test_an_endpoint_that_is_not_used_and_could_not_be_ends_no_login(
    name: str, url: str, code: str
) -> None:
    members: dict[str, JsonValue] = {name: url, "scopes_supported": 5, "x": 1}
    found = metadata(**members)
    notes = ("malformed: scopes_supported", f"refused: {name} ({code})")
    assert found == evolve(metadata(x=1), notes=notes)


@pytest.mark.parametrize("name", UNUSED)
def test_an_empty_string_is_no_endpoint_where_a_login_needs_none(name: str) -> None:
    found = metadata(**{name: ""})
    assert found == evolve(metadata(), notes=(f"refused: {name} (url_invalid)",))


@pytest.mark.parametrize("name", USED)
def test_an_empty_string_is_a_fault_where_a_login_needs_an_endpoint(name: str) -> None:
    error = refusal(JsonObject({**MINIMAL, name: ""}))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)


def test_all_that_is_refused_is_told() -> None:
    members = {**dict.fromkeys(UNUSED, "https://10.0.0.1/"), "end_session_endpoint": ""}
    found = metadata(**members)
    addresses = [name for name in UNUSED if name != "end_session_endpoint"]
    assert set(found.notes) == {
        "refused: end_session_endpoint (url_invalid)",
        *[f"refused: {name} (url_address_not_allowed)" for name in addresses],
    }
    assert found.endpoints == ()


LONGER = Policy(back_channel={"https://op.example": "https://a-longer-name.keycloak.svc.corp:8443"})


@pytest.mark.parametrize("name", USED)
def test_a_url_that_is_too_long_for_the_back_channel_is_the_providers_fault(name: str) -> None:
    url = "https://op.example/" + (8_192 - 19) * "a"
    assert getattr(metadata(**{name: url}), name) == url
    error = refusal(JsonObject({**MINIMAL, name: url}), network_of(LONGER))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)
    assert error.found == "url_invalid"


def test_one_that_is_not_used_is_dropped_for_that_too() -> None:
    url = "https://op.example/" + (8_192 - 19) * "a"
    members = {**MINIMAL, "revocation_endpoint": url}
    found = metadata_of(members, network=network_of(LONGER))
    assert found.notes == ("refused: revocation_endpoint (url_invalid)",)


def test_an_endpoint_may_have_port_path_and_query() -> None:
    url = "https://login.example:8443/a/b?p=v"
    assert metadata(token_endpoint=url, authorization_endpoint=url).token_endpoint == url


def test_http_on_loopback_is_taken_only_if_that_was_said() -> None:
    members = JsonObject({**MINIMAL, "token_endpoint": "http://127.0.0.1:9/token"})
    assert refusal(members).code == "metadata_endpoint_invalid"
    policy = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
    local = network_of(policy, {"http://127.0.0.1:9"})
    assert metadata_of(members, network=local).token_endpoint == "http://127.0.0.1:9/token"
    assert refusal(members, network_of(policy)).found == "url_address_not_allowed"
    far = JsonObject({**MINIMAL, "token_endpoint": "http://op.example/token"})
    assert refusal(far, local).code == "metadata_endpoint_invalid"


@pytest.mark.parametrize("name", USED)
@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/iam",
        "https://10.0.0.1/admin",
        "https://[fd00:ec2::254]/latest",
        "https://localhost:6379/",
        "https://192.0.2.1/",
    ],
)
def test_metadata_names_nothing_that_is_near_and_that_nobody_named(name: str, url: str) -> None:
    members = JsonObject({**MINIMAL, name: url})
    error = refusal(members, network_of(Policy(), {"https://op.example:443"}))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)
    assert error.found == "url_address_not_allowed"
    origin = "/".join(url.split("/", 3)[:3])
    named = network_of(Policy(named_origins=[origin]))
    assert getattr(metadata_of(members, network=named), name) == url


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_an_authorization_endpoint_sets_no_parameter_of_ours(name: str) -> None:
    disguised = f"%{ord(name[0]):02x}{name[1:]}"
    for written in (name, disguised):
        url = f"https://op.example/authorize?p=v&{written}=x"
        error = refusal(JsonObject({**MINIMAL, "authorization_endpoint": url}))
        assert (error.code, error.about) == ("metadata_endpoint_invalid", "authorization_endpoint")


def test_endpoints_are_those_that_are_there() -> None:
    assert dict(PROVIDER.endpoints) == {
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "jwks_uri": "https://op.example/jwks",
    }


WHERE_A_LOGIN_GOES = ["issuer", "token_endpoint", "userinfo_endpoint"]


@pytest.mark.parametrize("name", WHERE_A_LOGIN_GOES)
def test_a_digest_changes_with_what_a_login_sends_its_code_and_tokens_to(name: str) -> None:
    changes: dict[str, Any] = {name: "https://other.example/x"}
    moved = evolve(PROVIDER, **changes)
    assert moved.endpoints_digest != PROVIDER.endpoints_digest
    assert len(moved.endpoints_digest) == 16


@pytest.mark.parametrize("name", [n for n in ENDPOINTS if n not in WHERE_A_LOGIN_GOES])
def test_a_digest_does_not_change_with_another_endpoint(name: str) -> None:
    """Keys move, and the browser's own pages: a login in flight does not end for that."""
    changes: dict[str, Any] = {name: "https://other.example/x"}
    assert evolve(PROVIDER, **changes).endpoints_digest == PROVIDER.endpoints_digest


def test_a_digest_tells_which_endpoint_it_is_that_is_there() -> None:
    one, other = metadata(token_endpoint=f"{ISSUER}/x"), metadata(userinfo_endpoint=f"{ISSUER}/x")
    assert one.endpoints_digest != other.endpoints_digest


def test_a_digest_does_not_change_with_anything_else() -> None:
    other = evolve(PROVIDER, scopes_supported=("openid",), extra=parse_object(b'{"a":1}'))
    assert other.endpoints_digest == PROVIDER.endpoints_digest


@pytest.mark.parametrize("document", [None, "{}", b"{}", 5, [], {"issuer": {1}}, {1: 2}])
def test_a_document_is_a_mapping(document: Any) -> None:
    with pytest.raises(UsageError) as caught:
        metadata_of(document)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "JSON")


def test_a_document_may_be_a_plain_mapping() -> None:
    metadata = metadata_of({"issuer": "https://op.example", "x": {"y": [1]}})

    assert metadata.extra == JsonObject({"x": JsonObject({"y": (1,)})})
