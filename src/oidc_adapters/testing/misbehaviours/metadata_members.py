"""A provider whose metadata has members that no client should believe (OIDC Discovery §3)."""

from collections.abc import Callable
from typing import Final

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    SIGNATURES,
    Condition,
    always,
    both,
    of_client,
    of_policy,
    speaks_tls_to,
    without_quirk,
)
from oidc_adapters.testing.misbehaviours.rows import metadata_rewritten, metadata_with


def _row(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    when: Condition = always,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="discovery",
        during="discovery",
        code=code,
        summary=summary,
        changes=changes,
        when=when,
    )


def _without(name: str) -> Changes:
    return Changes(
        metadata=lambda members: {known: members[known] for known in members if known != name}
    )


def _issuer(name: str, summary: str, rewrite: Callable[[str], str]) -> Misbehaviour:
    return _row(name, "metadata_issuer_mismatch", summary, metadata_rewritten("issuer", rewrite))


def _endpoint(
    name: str, summary: str, changes: Changes, *, when: Condition = always
) -> Misbehaviour:
    return _row(name, "metadata_endpoint_invalid", summary, changes, when=when)


def _lacking(
    name: str, summary: str, changes: Changes, *, when: Condition = always
) -> Misbehaviour:
    return _row(name, "unsupported_by_provider", summary, changes, when=when)


_MANY: Final = "{" + ",".join([f'"{n}":0' for n in range(10_000)]) + "}"
_IDENTITY: Final = (
    _row("issuer_missing", "metadata_invalid", "publishes no issuer", _without("issuer")),
    _row(
        "issuer_null",
        "metadata_invalid",
        "publishes no issuer by name",
        metadata_with("issuer", None),
    ),
    _row(
        "issuer_in_list",
        "metadata_invalid",
        "publishes a list of issuers",
        metadata_with("issuer", ["https://op.example"]),
    ),
    _issuer("issuer_with_port", "names the default port in its issuer", lambda text: text + ":443"),
    _issuer("issuer_with_query", "adds a query to its issuer", lambda text: text + "?tenant=1"),
    _issuer("issuer_with_fragment", "adds a fragment to its issuer", lambda text: text + "#x"),
    _issuer(
        "issuer_without_tls", "publishes its issuer without TLS", lambda text: "http" + text[5:]
    ),
    _issuer(
        "issuer_with_space", "publishes its issuer with a space behind", lambda text: text + " "
    ),
    _issuer(
        "issuer_longer",
        "publishes an issuer that begins like its own",
        lambda text: text + ".evil.example",
    ),
    _issuer(
        "issuer_tenant", "publishes the issuer of one of its tenants", lambda text: text + "/t2"
    ),
)
_ENDPOINTS: Final = (
    _endpoint(
        "authorization_endpoint_with_fragment",
        "publishes an authorization endpoint with a fragment",
        metadata_rewritten("authorization_endpoint", lambda url: url + "#x"),
    ),
    _endpoint(
        "authorization_endpoint_is_option",
        "publishes an authorization endpoint that a command line takes for an option",
        metadata_with("authorization_endpoint", "--new-window"),
    ),
    _endpoint(
        "authorization_endpoint_is_command",
        "publishes an authorization endpoint with a command in it",
        metadata_with("authorization_endpoint", "https://op.example/$(id)`id`"),
    ),
    _endpoint(
        "token_endpoint_relative",
        "publishes a token endpoint without a host",
        metadata_with("token_endpoint", "/token"),
    ),
    _endpoint(
        "token_endpoint_with_backslash",
        "publishes a token endpoint that two parsers read as two hosts",
        metadata_with("token_endpoint", "https://op.example\\@elsewhere.example/token"),
    ),
    _endpoint(
        "token_endpoint_with_line_break",
        "publishes a token endpoint that would split a header",
        metadata_with("token_endpoint", "https://op.example/token\r\nhost: elsewhere.example"),
    ),
    _endpoint(
        "token_endpoint_encoded_host",
        "publishes a token endpoint whose host is percent-encoded",
        metadata_with("token_endpoint", "https://op%2eexample/token"),
    ),
    _endpoint(
        "token_endpoint_disguised_address",
        "publishes a token endpoint whose host is an address in hexadecimal",
        metadata_with("token_endpoint", "https://0x7f000001/token"),
    ),
    _endpoint(
        "userinfo_endpoint_without_tls",
        "publishes a UserInfo endpoint without TLS",
        metadata_with("userinfo_endpoint", "http://userinfo.example/"),
        when=both(
            speaks_tls_to("http://userinfo.example"),
            of_policy(lambda policy: policy.userinfo != "never"),
        ),
    ),
    _endpoint(
        "jwks_uri_data",
        "publishes a key set inside its own URL",
        metadata_with("jwks_uri", "data:,{}"),
        when=SIGNATURES,
    ),
)
_ABILITIES: Final = (
    _lacking("no_token_endpoint", "publishes no token endpoint", _without("token_endpoint")),
    _lacking(
        "no_authorization_endpoint",
        "publishes no authorization endpoint",
        _without("authorization_endpoint"),
    ),
    _lacking(
        "implicit_only",
        "announces no response type of the code flow",
        metadata_with("response_types_supported", ["id_token"]),
    ),
    _lacking(
        "pkce_plain_only",
        "announces plain code challenges only",
        metadata_with("code_challenge_methods_supported", ["plain"]),
        when=both(without_quirk("nonce_not_echoed"), without_quirk("omit_pkce")),
    ),
    _lacking(
        "unknown_authentication_only",
        "announces methods of authentication that no client has",
        metadata_with("token_endpoint_auth_methods_supported", ["magic"]),
        when=of_client(lambda client: client.token_endpoint_auth_method != "none"),
    ),
    _lacking(
        "requires_pushed_requests",
        "accepts pushed authorization requests only",
        metadata_with("require_pushed_authorization_requests", value=True),
    ),
    _lacking(
        "requires_signed_requests",
        "accepts signed request objects only",
        metadata_with("require_signed_request_object", value=True),
    ),
    _row(
        "iss_flag_as_text",
        "metadata_invalid",
        "says by a text that responses name the issuer",
        metadata_with("authorization_response_iss_parameter_supported", "true"),
    ),
    _row(
        "unsigned_only",
        "unsupported_by_provider",
        "announces ID tokens without a signature only",
        metadata_with("id_token_signing_alg_values_supported", ["none"]),
        when=SIGNATURES,
    ),
)
_FORM: Final = (
    _row(
        "metadata_empty",
        "json_malformed",
        "sends nothing as metadata",
        Changes(answer=answers.with_body(b"")),
    ),
    _row(
        "metadata_404",
        "http_status_unexpected",
        "has no metadata",
        Changes(answer=answers.html_with_status(404)),
    ),
    _row(
        "metadata_with_many_members",
        "json_too_large",
        "sends metadata with an object of ten thousand members",
        Changes(answer=answers.with_rendered_member("x", _MANY)),
        when=of_policy(lambda policy: policy.limits.members < 10_000),
    ),
)

ROWS: Final = (*_IDENTITY, *_ENDPOINTS, *_ABILITIES, *_FORM)
