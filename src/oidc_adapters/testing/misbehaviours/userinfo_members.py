"""A provider whose UserInfo contradicts the login, or has another form (OIDC Core §5.3.2)."""

from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    JSON_USERINFO,
    PLAIN_USERINFO,
    UNENCRYPTED_USERINFO,
    within,
)
from oidc_adapters.testing.misbehaviours.rows import userinfo_row, userinfo_with
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.limits import LIMITS


def _signed(
    name: str, code: str, summary: str, change: forgeries.JwtChange, *, contradicts: bool = False
) -> Misbehaviour:
    return userinfo_row(
        name,
        code,
        summary,
        Changes(userinfo_jwt=change),
        needs="signed_userinfo",
        contradicts=contradicts,
    )


def _with_type(media_type: str) -> Changes:
    def change(answer: HttpResponse) -> HttpResponse:
        headers = [pair for pair in answer.headers if pair[0] != "content-type"]
        return evolve(answer, headers=(("content-type", media_type), *headers))

    return Changes(answer=change)


def _unauthorized(answer: HttpResponse) -> HttpResponse:
    """Refuse the token that was just issued (RFC 6750 §3)."""
    challenge = ("www-authenticate", 'Bearer error="invalid_token"')
    return evolve(answer, status=401, headers=(*answer.headers, challenge), body=b"")


ROWS: Final = (
    userinfo_row(
        "userinfo_other_iss",
        "iss_mismatch",
        "tells about a user of another issuer",
        userinfo_with("iss", "https://other.example"),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_sub_number",
        "sub_mismatch",
        "tells about a number",
        userinfo_with("sub", 1),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_sub_in_capitals",
        "sub_mismatch",
        "tells about the user in capitals",
        userinfo_with("sub", "ALICE"),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_sub_of_two",
        "sub_mismatch",
        "tells about the user and another one in a list",
        userinfo_with("sub", ["alice", "mallory"]),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_duplicate_sub_last",
        "json_member_duplicated",
        "tells about the user, and once more about another",
        Changes(answer=lambda answer: evolve(answer, body=answer.body[:-1] + b',"sub":"mallory"}')),
        when=PLAIN_USERINFO,
    ),
    userinfo_row(
        "userinfo_array",
        "json_not_object",
        "sends an array as UserInfo",
        Changes(answer=answers.with_body(b'["alice"]')),
        when=PLAIN_USERINFO,
    ),
    userinfo_row(
        "userinfo_not_json",
        "json_malformed",
        "sends UserInfo that breaks off",
        Changes(answer=answers.with_body(b'{"sub":"ali')),
        when=PLAIN_USERINFO,
    ),
    userinfo_row(
        "userinfo_text",
        "content_type_unexpected",
        "sends UserInfo as text",
        _with_type("text/plain"),
    ),
    userinfo_row(
        "userinfo_401",
        "provider_error",
        "refuses the access token that it just issued",
        Changes(answer=_unauthorized),
    ),
    userinfo_row(
        "userinfo_404",
        "http_status_unexpected",
        "has no UserInfo",
        Changes(answer=answers.html_with_status(404)),
    ),
    userinfo_row(
        "userinfo_too_large",
        "http_too_large",
        "sends UserInfo beyond the limit",
        Changes(answer=answers.padded(LIMITS.userinfo + 1)),
        when=within("userinfo", LIMITS.userinfo + 1),
    ),
    userinfo_row(
        "userinfo_as_jwt",
        "content_type_unexpected",
        "signs UserInfo though nobody registered that",
        _with_type("application/jwt"),
        when=PLAIN_USERINFO,
    ),
    userinfo_row(
        "userinfo_json_where_signed",
        "content_type_unexpected",
        "sends UserInfo as JSON though it was registered as signed",
        _with_type("application/json"),
        needs="signed_userinfo",
    ),
    userinfo_row(
        "userinfo_signed_hs256",
        "alg_not_allowed",
        "takes its public key for an HMAC secret when it signs UserInfo",
        Changes(userinfo_jwt=forgeries.hmac_with_public_key),
        needs="signed_userinfo",
        when=UNENCRYPTED_USERINFO,
    ),
    _signed(
        "userinfo_signed_by_stranger",
        "signature_invalid",
        "has a stranger sign UserInfo",
        forgeries.signed_by_stranger,
    ),
    _signed(
        "userinfo_signed_no_sub",
        "sub_missing",
        "signs UserInfo about nobody",
        forgeries.without_claim("sub"),
    ),
    _signed(
        "userinfo_signed_access_token",
        "typ_unexpected",
        "sends an access token as UserInfo",
        forgeries.with_header("typ", "at+jwt"),
    ),
    _signed(
        "userinfo_signed_logout_token",
        "claim_forbidden",
        "sends a logout token as UserInfo",
        forgeries.with_claim("events", {"http://schemas.openid.net/event/backchannel-logout": {}}),
    ),
)
