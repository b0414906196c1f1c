"""The client's registration."""

from typing import Any

import pytest
from attrs import evolve

from oidc_core.jose.algorithms import ASYMMETRIC, HMAC
from oidc_core.jose.jws import Encryption
from oidc_core.model.client import (
    AUTH_METHODS,
    RESPONSE_PARAMETERS,
    AuthMethod,
    ClientRegistration,
    is_scope,
)
from oidc_core.wire.errors import UsageError
from tests.unit.parties import CALLBACK, CLIENT


def refusal(**changes: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        evolve(CLIENT, **changes)
    return caught.value.code, caught.value.about


def test_the_first_redirect_uri_is_used() -> None:
    client = evolve(CLIENT, redirect_uris=("https://a.example/", CALLBACK))
    assert client.redirect_uri == "https://a.example/"
    assert CLIENT.token_endpoint_auth_method == "client_secret_basic"
    assert CLIENT.scope == "openid"


@pytest.mark.parametrize("client_id", ["", "a\nb", "a\x00", "é", "\x7f"])
def test_a_client_id_is_printable_ascii(client_id: str) -> None:
    assert refusal(client_id=client_id) == ("config_invalid", "client_id")


def test_a_client_that_nobody_logs_in_with_has_no_redirect_uri_and_no_scope() -> None:
    client = ClientRegistration(client_id="client-1", scope="")
    assert (client.redirect_uris, client.redirect_uri, client.scope) == ((), "", "")


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback?a=b",
        "https://APP.example:443/",
        "http://localhost:8888/auth/login",
        "http://127.0.0.1/",
        "http://[::1]:9/",
        "com.example.app:/callback",
        "com.example.app://callback/x?y",
        "org.example.my-app:cb",
    ],
)
def test_a_redirect_uri_is_kept_as_it_is(uri: str) -> None:
    assert evolve(CLIENT, redirect_uris=(uri,)).redirect_uri == uri
    assert evolve(CLIENT, post_logout_redirect_uris=(uri,)).post_logout_redirect_uris == (uri,)


@pytest.mark.req("OIDCC-3.1.2.1-06")
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://app.example/callback", "url_scheme_not_allowed"),
        ("https://app.example/#f", "url_invalid"),
        ("https://user@app.example/", "url_userinfo_not_allowed"),
        ("javascript:alert(1)", "url_invalid"),
        ("myapp:/callback", "url_invalid"),
        ("com.example.app:/a#b", "url_invalid"),
        ("com.example.app:/a\n", "url_invalid"),
        ("com.exаmple.app:/a", "url_invalid"),
        ("com.example.app:/é", "url_invalid"),
        ("com.exa mple:/a", "url_invalid"),
        ("com.example.app", "url_invalid"),
        ("com.example.app:", "url_invalid"),
        ("com.example.app:/a b", "url_invalid"),
        ("com.example.app:/a\\b", "url_invalid"),
        (".example.app:/a", "url_invalid"),
        ("", "url_invalid"),
        ("rp.example:8443/cb", "url_invalid"),
        ("rp.example:443", "url_invalid"),
        ("127.0.0.1:8000/cb", "url_invalid"),
        ("127.0.0.1:/cb", "url_invalid"),
        ("localhost:8000/cb", "url_invalid"),
        ("rp.example/cb", "url_invalid"),
        ("//rp.example/cb", "url_invalid"),
        ("/cb", "url_invalid"),
        ("https:/rp.example/cb", "url_invalid"),
        ("https:rp.example/cb", "url_invalid"),
        ("https://rp.example\\cb", "url_invalid"),
        ("https://rp.example/c b", "url_invalid"),
        (" https://rp.example/cb", "url_invalid"),
        ("https://rp.example/cb#", "url_invalid"),
        ("HTTPS://rp.example/cb", "url_scheme_not_allowed"),
        ("data:text/html,x", "url_invalid"),
        ("file:///cb", "url_scheme_not_allowed"),
        ("ftp://rp.example/cb", "url_scheme_not_allowed"),
        ("https://rp.example:0/cb", "url_port_invalid"),
        ("https://rp.example/a/../cb", "config_invalid"),
        ("https://rp.example/./cb", "config_invalid"),
        ("https://rp.example/a/%2E%2e", "config_invalid"),
        ("com.example.app:/a/../cb", "config_invalid"),
        ("https://rp.example/cb?state=x", "config_invalid"),
        ("https://rp.example/cb?a=b&st%61te", "config_invalid"),
        ("com.example.app:/cb?state=", "config_invalid"),
    ],
)
def test_a_redirect_uri_cannot_be_anything(uri: str, code: str) -> None:
    assert refusal(redirect_uris=(CALLBACK, uri)) == (code, "redirect_uri")
    assert refusal(post_logout_redirect_uris=(uri,)) == (code, "post_logout_redirect_uri")


@pytest.mark.parametrize(
    "uri",
    [
        "rp.example:8443/cb",
        "rp.example:8443",
        "rp.example:8443?a=b",
        "www.rp.example:443/",
        "127.0.0.1:8080/cb",
        "1rp.example:/cb",
        "-rp.example:/cb",
        "rp.example-:/cb",
        ".example:/cb",
        "rp.example.:/cb",
        "localhost:8080/cb",
    ],
)
def test_a_host_with_its_port_is_no_private_scheme(uri: str) -> None:
    assert refusal(redirect_uris=(uri,)) == ("url_invalid", "redirect_uri")
    assert refusal(post_logout_redirect_uris=(uri,)) == ("url_invalid", "post_logout_redirect_uri")


# --- where a provider says that a session has ended ----------------------------------------------

BACK = "backchannel_logout_uri"
FRONT = "frontchannel_logout_uri"


@pytest.mark.req("OIDCBCL-2.2-01")
@pytest.mark.parametrize(
    "uri",
    ["https://app.example/logout?a=b", "https://inner.example:8443/", "http://127.0.0.1:8000/out"],
)
def test_a_provider_posts_logout_tokens_to_an_absolute_url(uri: str) -> None:
    for method in (None, "client_secret_basic", "none"):
        changes: dict[str, Any] = {BACK: uri, "token_endpoint_auth_method": method}
        assert evolve(CLIENT, **changes).backchannel_logout_uri == uri
    assert CLIENT.backchannel_logout_uri is None
    assert CLIENT.backchannel_logout_session_required is False


@pytest.mark.req("OIDCBCL-2.2-01")
def test_only_a_confidential_client_is_told_over_plain_http() -> None:
    uri = "http://app:8000/logout"
    assert evolve(CLIENT, backchannel_logout_uri=uri).backchannel_logout_uri == uri
    public = refusal(backchannel_logout_uri=uri, token_endpoint_auth_method="none")
    assert public == ("url_scheme_not_allowed", BACK)


@pytest.mark.req("OIDCBCL-2.2-01")
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://app.example/#f", "url_invalid"),
        ("/logout", "url_invalid"),
        ("", "url_invalid"),
        ("com.example.app:/logout", "url_invalid"),
        ("https://user@app.example/", "url_userinfo_not_allowed"),
        (5, "config_invalid"),
    ],
)
def test_logout_tokens_are_posted_nowhere_else(uri: Any, code: str) -> None:
    assert refusal(backchannel_logout_uri=uri) == (code, BACK)


@pytest.mark.req("OIDCFCL-2-01", "OIDCFCL-2-02")
@pytest.mark.parametrize(
    "uri", ["https://app.example/out", "https://APP.example:443/out?a=b&c=iss"]
)
def test_a_frame_is_at_an_origin_of_the_redirect_uris(uri: str) -> None:
    assert evolve(CLIENT, frontchannel_logout_uri=uri).frontchannel_logout_uri == uri
    assert CLIENT.frontchannel_logout_uri is None
    assert CLIENT.frontchannel_logout_session_required is False


@pytest.mark.req("OIDCFCL-2-01", "OIDCFCL-2-02")
@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://app.example:8443/out", "config_invalid"),
        ("https://www.app.example/out", "config_invalid"),
        ("http://app.example/out", "url_scheme_not_allowed"),
        ("http://localhost/out", "config_invalid"),
        ("https://app.example/#f", "url_invalid"),
        ("/out", "url_invalid"),
        ("https://app.example/out?iss=x", "config_invalid"),
        ("https://app.example/out?a&s%69d=x", "config_invalid"),
        (5, "config_invalid"),
    ],
)
def test_a_frame_is_nowhere_else(uri: Any, code: str) -> None:
    assert refusal(frontchannel_logout_uri=uri) == (code, FRONT)


def test_a_client_without_a_redirect_uri_has_no_frame() -> None:
    found = refusal(redirect_uris=(), frontchannel_logout_uri="https://app.example/out")
    assert found == ("config_invalid", FRONT)


@pytest.mark.parametrize("uri", ["org.example.app:8443x", "org.example.app:/8443", "a.b:c"])
def test_a_private_scheme_may_be_followed_by_whatever_is_no_port(uri: str) -> None:
    assert evolve(CLIENT, redirect_uris=(uri,)).redirect_uri == uri


@pytest.mark.parametrize("name", sorted(RESPONSE_PARAMETERS))
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb?{name}=x",
        "https://app.example/cb?a=b&{name}",
        "com.example:/cb?{name}=",
        "http://127.0.0.1/?%{first:02x}{rest}=x",
    ],
)
def test_a_redirect_uri_has_no_parameter_of_the_response(name: str, uri: str) -> None:
    """It would come back with two of them."""
    written = uri.format(name=name, first=ord(name[0]), rest=name[1:])
    with pytest.raises(UsageError) as caught:
        evolve(CLIENT, redirect_uris=(CALLBACK, written))
    error = caught.value
    assert (error.code, error.about, error.found) == (
        "config_invalid",
        "redirect_uri",
        (name,),
    )
    if name == "state":
        found = refusal(post_logout_redirect_uris=(written,))
        assert found == ("config_invalid", "post_logout_redirect_uri")
    else:
        evolve(CLIENT, post_logout_redirect_uris=(written,))


@pytest.mark.parametrize("query", ["a=%FF", "%C3%28=x", "a=%ed%a0%80"])
def test_a_redirect_uri_has_a_query_that_can_be_compared(query: str) -> None:
    uri = f"https://app.example/cb?{query}"
    assert refusal(redirect_uris=(uri,)) == ("config_invalid", "redirect_uri")


@pytest.mark.parametrize("query", ["", "a", "a=1&a=2", "State=x", "states=x", "a=state", "%41=+"])
def test_a_redirect_uri_may_have_any_other_query(query: str) -> None:
    uri = f"https://app.example/cb?{query}"
    assert evolve(CLIENT, redirect_uris=(uri,)).redirect_uri == uri


@pytest.mark.parametrize("how", ["", "Required", "always", "true", "announced"])
def test_it_is_declared_in_one_word_that_a_provider_sends_iss(how: str) -> None:
    assert refusal(response_iss=how) == ("config_invalid", "response_iss")
    assert CLIENT.response_iss == "as_announced"
    assert evolve(CLIENT, response_iss="required").response_iss == "required"


@pytest.mark.req("OIDCC-14-02", "RFC6749-3.3-01")
@pytest.mark.parametrize(
    ("scope", "valid"),
    [
        ("openid", True),
        ("email openid profile", True),
        ("openid https://api.example/read!", True),
        ("email", True),
        ("OPENID", True),
        ("openid  email", False),
        (" openid", False),
        ("openid\temail", False),
        ("openid,email", True),
        ('openid "a"', False),
        ("openid a\\b", False),
        ("openid é", False),
        ("openid\n", False),
        (" ", False),
    ],
)
def test_a_scope_keeps_the_grammar(scope: str, *, valid: bool) -> None:
    """Whether it has ``openid`` is for each login to ask."""
    assert is_scope(scope) is valid
    assert not is_scope("")
    if valid:
        assert evolve(CLIENT, scope=scope).scope == scope
    else:
        assert refusal(scope=scope) == ("config_invalid", "scope")


@pytest.mark.parametrize("method", ["", "tls_client_auth", "client_secret", "NONE"])
def test_an_authentication_method_is_a_known_one(method: str) -> None:
    found = refusal(token_endpoint_auth_method=method)
    assert found == ("config_invalid", "token_endpoint_auth_method")


@pytest.mark.parametrize("name", ["id_token_signed_response_alg", "userinfo_signed_response_alg"])
@pytest.mark.parametrize("alg", ["none", "rs256", "", "RSA-OAEP", "A128GCM"])
def test_a_registered_algorithm_is_one_that_can_be_verified(name: str, alg: str) -> None:
    assert refusal(**{name: alg}) == ("config_invalid", name)


@pytest.mark.req("OIDCC-10.1-04")
@pytest.mark.parametrize("name", ["id_token_signed_response_alg", "userinfo_signed_response_alg"])
@pytest.mark.parametrize("alg", sorted(HMAC))
def test_a_public_client_has_no_secret_to_verify_with(name: str, alg: str) -> None:
    public: dict[str, Any] = {"token_endpoint_auth_method": "none", name: alg}
    assert refusal(**public) == ("config_invalid", name)
    for method in AUTH_METHODS - {"none"}:
        known = evolve(CLIENT, **{**public, "token_endpoint_auth_method": method})
        assert known.signed_with(name.partition("_signed")[0]) == alg


def test_what_was_registered_of_a_signature_is_told_by_the_kind_of_token() -> None:
    client = evolve(CLIENT, id_token_signed_response_alg="ES256")
    assert (client.signed_with("id_token"), client.signed_with("userinfo")) == ("ES256", None)


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        ("none", frozenset[str]()),
        ("client_secret_basic", frozenset[str]()),
        ("client_secret_post", frozenset[str]()),
        ("client_secret_jwt", HMAC),
        ("private_key_jwt", ASYMMETRIC),
    ],
)
def test_an_assertion_is_signed_with_what_its_method_has(
    method: str, allowed: frozenset[str]
) -> None:
    for alg in (*ASYMMETRIC, *HMAC, "none"):
        changes: dict[str, Any] = {
            "token_endpoint_auth_method": method,
            "token_endpoint_auth_signing_alg": alg,
        }
        if alg in allowed:
            assert evolve(CLIENT, **changes).assertion_alg == alg
        else:
            assert refusal(**changes) == ("config_invalid", "token_endpoint_auth_signing_alg")


@pytest.mark.parametrize(
    ("method", "alg"),
    [("client_secret_jwt", "HS256"), ("private_key_jwt", "RS256"), ("none", "RS256")],
)
def test_an_assertion_has_a_default_algorithm(method: AuthMethod, alg: str) -> None:
    client: ClientRegistration = evolve(CLIENT, token_endpoint_auth_method=method)
    assert client.assertion_alg == alg


# --- encryption ----------------------------------------------------------------------------------

ENCRYPTED = ["id_token_encrypted_response", "userinfo_encrypted_response"]


@pytest.mark.req("OIDCR-2-08")
@pytest.mark.parametrize("name", ENCRYPTED)
def test_encryption_is_registered_with_alg_and_enc(name: str) -> None:
    which = name.partition("_encrypted")[0]
    assert CLIENT.encrypted_with(which) is None
    plain: Any = {f"{name}_alg": "RSA-OAEP"}
    by_default = Encryption("RSA-OAEP", "A128CBC-HS256")
    assert evolve(CLIENT, **plain).encrypted_with(which) == by_default
    named: Any = {f"{name}_alg": "dir", f"{name}_enc": "A256GCM"}
    assert evolve(CLIENT, **named).encrypted_with(which) == Encryption("dir", "A256GCM")
    (other,) = {"id_token", "userinfo"} - {which}
    assert evolve(CLIENT, **named).encrypted_with(other) is None


@pytest.mark.parametrize("name", ENCRYPTED)
def test_encryption_that_is_not_implemented_is_not_registered(name: str) -> None:
    """X01, X09."""
    alg, enc = f"{name}_alg", f"{name}_enc"
    for odd in ("RSA1_5", "PBES2-HS256+A128KW", "", "none", "RS256"):
        assert refusal(**{alg: odd}) == ("config_invalid", alg)
    for odd in ("A128CBC-HS512", "", "none"):
        assert refusal(**{alg: "RSA-OAEP", enc: odd}) == ("config_invalid", enc)
    assert refusal(**{enc: "A128GCM"}) == ("config_invalid", enc)


@pytest.mark.parametrize("name", ENCRYPTED)
def test_a_public_client_has_no_secret_to_decrypt_with(name: str) -> None:
    for alg in ("dir", "A128KW", "A256GCMKW"):
        changes = {f"{name}_alg": alg, "token_endpoint_auth_method": "none"}
        assert refusal(**changes) == ("config_invalid", f"{name}_alg")
    public: Any = {f"{name}_alg": "ECDH-ES", "token_endpoint_auth_method": "none"}
    evolve(CLIENT, **public)
