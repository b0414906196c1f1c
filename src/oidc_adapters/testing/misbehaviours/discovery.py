"""A provider with faults in its metadata (OIDC Discovery §3, §4)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    SIGNATURES,
    Condition,
    always,
    speaks_tls_to,
    within,
)
from oidc_adapters.testing.misbehaviours.rows import metadata_rewritten, metadata_with, whole_answer
from oidc_core.wire.limits import LIMITS


def _row(
    name: str, code: str, summary: str, changes: Changes, when: Condition = always
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


ROWS: Final = (
    _row(
        "wrong_issuer",
        "metadata_issuer_mismatch",
        "publishes another provider's issuer identifier",
        metadata_with("issuer", "https://other.example"),
    ),
    _row(
        "issuer_with_slash",
        "metadata_issuer_mismatch",
        "publishes its issuer identifier with a slash more than configured",
        metadata_rewritten("issuer", lambda issuer: issuer + "/"),
    ),
    _row(
        "issuer_in_capitals",
        "metadata_issuer_mismatch",
        "publishes its issuer identifier in capitals",
        metadata_rewritten("issuer", str.upper),
    ),
    _row(
        "http_token_endpoint",
        "metadata_endpoint_invalid",
        "publishes a token endpoint without TLS",
        metadata_with("token_endpoint", "http://token.example/token"),
        when=speaks_tls_to("http://token.example"),
    ),
    _row(
        "token_endpoint_with_credentials",
        "metadata_endpoint_invalid",
        "publishes a token endpoint with a user name in its URL",
        metadata_with("token_endpoint", "https://op.example:443@elsewhere.example/token"),
    ),
    _row(
        "script_authorization_endpoint",
        "metadata_endpoint_invalid",
        "publishes an authorization endpoint that is a script",
        metadata_with("authorization_endpoint", "javascript:alert(1)"),
    ),
    _row(
        "authorization_endpoint_with_state",
        "metadata_endpoint_invalid",
        "publishes an authorization endpoint that brings its own state",
        metadata_rewritten("authorization_endpoint", lambda url: url + "?state=chosen"),
    ),
    _row(
        "file_jwks_uri",
        "metadata_endpoint_invalid",
        "publishes a key set that lies in the client's own files",
        metadata_with("jwks_uri", "file:///etc/keys.json"),
        when=SIGNATURES,
    ),
    _row(
        "token_endpoint_not_a_string",
        "metadata_invalid",
        "publishes a list of token endpoints",
        metadata_with("token_endpoint", ["https://op.example/token"]),
    ),
    _row(
        "metadata_not_json",
        "json_malformed",
        "sends metadata that breaks off",
        Changes(answer=answers.with_body(b'{"issuer":"https://op.exam')),
    ),
    _row(
        "metadata_html",
        "content_type_unexpected",
        "sends a page as metadata",
        whole_answer(answers.html),
    ),
    _row(
        "metadata_array",
        "json_not_object",
        "sends an array as metadata",
        whole_answer(answers.with_body(b'["https://op.example"]')),
    ),
    _row(
        "duplicate_issuer_member",
        "json_member_duplicated",
        "names two issuers in one metadata object",
        whole_answer(answers.twice("issuer", "https://other.example")),
    ),
    _row(
        "metadata_utf16", "json_not_utf8", "sends metadata in UTF-16", whole_answer(answers.utf16)
    ),
    _row(
        "metadata_byte_order_mark",
        "json_not_utf8",
        "sends metadata with a byte order mark",
        whole_answer(answers.marked),
    ),
    _row(
        "metadata_infinity",
        "json_number_invalid",
        "sends metadata with an invalid number",
        whole_answer(answers.with_rendered_member("x", "Infinity")),
    ),
    _row(
        "metadata_nested",
        "json_too_deep",
        "nests metadata a hundred times",
        whole_answer(answers.with_rendered_member("x", 100 * "[" + 100 * "]")),
    ),
    _row(
        "metadata_redirect",
        "http_redirect_refused",
        "redirects the request for metadata to another host",
        whole_answer(answers.redirect),
    ),
    _row(
        "metadata_500",
        "http_status_unexpected",
        "sends metadata with the status of a failure",
        whole_answer(answers.with_status(500)),
    ),
    _row(
        "metadata_encoded",
        "content_encoding_unexpected",
        "sends metadata with a Content-Encoding nobody offered",
        whole_answer(answers.gzipped),
    ),
    _row(
        "metadata_too_large",
        "http_too_large",
        "sends metadata beyond the limit",
        whole_answer(answers.padded(LIMITS.metadata + 1)),
        when=within("metadata", LIMITS.metadata + 1),
    ),
    _row(
        "metadata_dropped",
        "http_malformed",
        "closes the connection instead of sending metadata",
        whole_answer(answers.dropped),
    ),
)
