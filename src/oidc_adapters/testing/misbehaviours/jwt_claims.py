"""A provider whose tokens have claims of the wrong type or value, in each operation."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    PLAIN_ID_TOKEN,
    Condition,
    Needs,
    always,
    essential,
    logout_younger_than,
    of_client,
    of_policy,
)
from oidc_adapters.testing.misbehaviours.rows import id_token_row
from oidc_adapters.testing.signing import JwtDraft


def _refresh(
    name: str, code: str, summary: str, changes: Changes, *, when: Condition = always
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="refresh",
        code=code,
        summary=summary,
        changes=changes,
        when=when,
    )


def _logout(
    name: str,
    code: str,
    summary: str,
    change: forgeries.JwtChange,
    *,
    needs: Needs = "",
    when: Condition = always,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="logout",
        during="logout",
        code=code,
        summary=summary,
        needs=needs,
        changes=Changes(logout_token=change),
        when=when,
    )


def _claim(name: str, code: str, summary: str, claim: str, value: object) -> Misbehaviour:
    return id_token_row(name, code, summary, forgeries.with_claim(claim, value))


def _inner(name: str, code: str, summary: str, claim: str, value: object) -> Misbehaviour:
    """Return a row about a claim that the header of an encrypted ID token repeats."""
    change = forgeries.with_claim(claim, value)
    return id_token_row(name, code, summary, change, when=PLAIN_ID_TOKEN)


def _other_half(draft: JwtDraft) -> str:
    """Bind the ID token to the right access token by too few octets."""
    return draft.with_claims(at_hash=str(draft.claims["at_hash"])[:-4]).signed()


def _with_event(value: object) -> forgeries.JwtChange:
    event = "http://schemas.openid.net/event/backchannel-logout"
    return forgeries.with_claim("events", {event: value})


_WHO: Final = (
    _inner("id_token_iss_empty", "iss_mismatch", "names its issuer by nothing", "iss", ""),
    _inner("id_token_iss_number", "iss_malformed", "names its issuer by a number", "iss", 1),
    _inner(
        "id_token_iss_list",
        "iss_malformed",
        "names a list of issuers",
        "iss",
        ["https://op.example"],
    ),
    _claim(
        "id_token_iss_longer",
        "iss_mismatch",
        "names an issuer that begins like its own",
        "iss",
        "https://op.example.evil.example",
    ),
    _claim(
        "id_token_iss_with_slash",
        "iss_mismatch",
        "names its issuer with a slash more",
        "iss",
        "https://op.example/",
    ),
    _inner("aud_empty_list", "aud_mismatch", "names an empty list of audiences", "aud", []),
    _inner("aud_number", "aud_malformed", "names its audience by a number", "aud", 1),
    _inner("aud_object", "aud_malformed", "names its audience by an object", "aud", {"client": 1}),
    _inner("aud_list_of_numbers", "aud_malformed", "names audiences by numbers", "aud", [1, 2]),
    _claim("aud_part", "aud_mismatch", "names the beginning of the audience", "aud", "clien"),
    _claim("aud_capitals", "aud_mismatch", "names the audience in capitals", "aud", "CLIENT"),
    _claim(
        "aud_at_honest_provider",
        "aud_mismatch",
        "names the client as another provider knows it",
        "aud",
        "client-at-honest-op",
    ),
    _claim("azp_number", "azp_malformed", "names the authorized party by a number", "azp", 1),
    _claim("sub_null", "sub_missing", "names no user by name", "sub", None),
    _claim("sub_list", "sub_malformed", "names a list of users", "sub", ["alice"]),
    _claim(
        "sub_with_null_character", "sub_malformed", "names a user and more", "sub", "alice\x00x"
    ),
    _claim(
        "sub_placeholder",
        "sub_placeholder",
        "names every user by the same text",
        "sub",
        "Not supported currently. Use oid claim.",
    ),
)
_WHEN: Final = (
    _claim("exp_null", "exp_missing", "sends an end that is null", "exp", None),
    id_token_row(
        "exp_true",
        "exp_malformed",
        "sends an end that is true",
        forgeries.with_rendered_claim("exp", "true"),
    ),
    _claim("exp_negative", "exp_malformed", "sends an end before all time", "exp", -1),
    _claim("exp_huge", "exp_malformed", "sends an end that no clock reaches", "exp", 2**53),
    id_token_row(
        "exp_infinite",
        "exp_malformed",
        "sends an end that is infinite",
        forgeries.with_rendered_claim("exp", "1e400"),
    ),
    _claim("iat_text", "iat_malformed", "writes the time of issue as text", "iat", "now"),
    id_token_row(
        "iat_true",
        "iat_malformed",
        "was issued at true",
        forgeries.with_rendered_claim("iat", "true"),
    ),
    _claim("nbf_text", "nbf_malformed", "writes the beginning as text", "nbf", "now"),
    id_token_row(
        "auth_time_text",
        "auth_time_malformed",
        "writes the time of authentication as text",
        forgeries.with_claim("auth_time", "now"),
        needs="max_age",
    ),
    id_token_row(
        "auth_time_in_future",
        "auth_time_in_future",
        "authenticates the user tomorrow",
        forgeries.claim_later("auth_time", 86_400),
        needs="max_age",
    ),
)
_WHICH: Final = (
    _claim("nonce_number", "nonce_mismatch", "returns a number as nonce", "nonce", 1),
    _claim("nonce_empty", "nonce_mismatch", "returns an empty nonce", "nonce", ""),
    _claim("nonce_list", "nonce_mismatch", "returns a list of nonces", "nonce", []),
    id_token_row(
        "nonce_in_capitals",
        "nonce_mismatch",
        "returns the nonce in capitals",
        lambda draft: draft.with_claims(nonce=str(draft.claims["nonce"]).upper()).signed(),
    ),
    _claim("at_hash_number", "at_hash_mismatch", "sends a number as at_hash", "at_hash", 1),
    _claim("at_hash_empty", "at_hash_mismatch", "sends an empty at_hash", "at_hash", ""),
    id_token_row("at_hash_short", "at_hash_mismatch", "sends a shorter at_hash", _other_half),
    id_token_row(
        "no_acr",
        "acr_missing",
        "does not say how the user authenticated",
        forgeries.without_claim("acr"),
        needs="acr",
    ),
    id_token_row(
        "acr_list",
        "acr_mismatch",
        "names ways to authenticate in a list",
        forgeries.with_claim("acr", []),
        needs="acr",
    ),
    id_token_row(
        "id_token_with_events",
        "claim_forbidden",
        "sends an ID token that could end a session",
        forgeries.with_claim("events", {}),
    ),
    id_token_row(
        "no_essential_claim",
        "claim_missing",
        "leaves out the e-mail address that the client called essential",
        forgeries.without_claim("email"),
        needs="strict",
        when=essential("email"),
    ),
    id_token_row(
        "no_at_hash",
        "at_hash_missing",
        "does not bind the ID token to the access token",
        forgeries.without_claim("at_hash"),
        needs="strict",
        when=of_policy(lambda policy: policy.require_at_hash),
    ),
)
_REFRESHED: Final = (
    _refresh(
        "refresh_no_iss",
        "iss_missing",
        "refreshes to an ID token of no issuer",
        Changes(id_token=forgeries.without_claim("iss")),
        when=PLAIN_ID_TOKEN,
    ),
    _refresh(
        "refresh_no_sub",
        "sub_missing",
        "refreshes to an ID token about nobody",
        Changes(id_token=forgeries.without_claim("sub")),
    ),
    _refresh(
        "refresh_no_aud",
        "aud_missing",
        "refreshes to an ID token for nobody",
        Changes(id_token=forgeries.without_claim("aud")),
        when=PLAIN_ID_TOKEN,
    ),
    _refresh(
        "refresh_extra_audience",
        "aud_mismatch",
        "refreshes to an ID token with a further audience",
        Changes(id_token=forgeries.plus_audience),
    ),
    _refresh(
        "refresh_wrong_at_hash",
        "at_hash_mismatch",
        "refreshes to an ID token of another access token",
        Changes(id_token=forgeries.with_claim("at_hash", 22 * "A")),
    ),
    _refresh(
        "refresh_by_stranger",
        "signature_invalid",
        "refreshes to an ID token that a stranger signed",
        Changes(id_token=forgeries.signed_by_stranger),
    ),
    _refresh(
        "refresh_500",
        "refresh_in_doubt",
        "takes the refresh token and fails",
        Changes(answer=answers.html_with_status(500)),
    ),
    _refresh(
        "refresh_html",
        "refresh_in_doubt",
        "takes the refresh token and sends a page",
        Changes(answer=answers.html),
    ),
    _refresh(
        "refresh_no_access_token",
        "token_response_invalid",
        "refreshes to no access token",
        Changes(
            tokens=lambda members: {
                name: value for name, value in members.items() if name != "access_token"
            }
        ),
    ),
    _refresh(
        "refresh_wrong_token_type",
        "token_type_mismatch",
        "refreshes to a token of another type",
        Changes(tokens=lambda members: {**members, "token_type": "mac"}),
    ),
)
_ENDS: Final = (
    _logout(
        "logout_no_iss",
        "iss_missing",
        "ends a session in nobody's name",
        forgeries.without_claim("iss"),
        when=PLAIN_ID_TOKEN,
    ),
    _logout(
        "logout_no_aud",
        "aud_missing",
        "ends a session at nobody",
        forgeries.without_claim("aud"),
        when=PLAIN_ID_TOKEN,
    ),
    _logout(
        "logout_no_iat",
        "iat_missing",
        "does not say when it ended a session",
        forgeries.without_claim("iat"),
    ),
    _logout(
        "logout_exp_text",
        "exp_malformed",
        "ends a session by a token whose end is text",
        forgeries.with_claim("exp", "soon"),
    ),
    _logout(
        "logout_five_minutes_old",
        "iat_too_old",
        "ends a session by a token that is five minutes old",
        forgeries.claim_earlier("iat", 300),
        when=logout_younger_than(300),
    ),
    _logout(
        "logout_event_true",
        "events_malformed",
        "says true about the event",
        _with_event(value=True),
    ),
    _logout(
        "logout_events_empty",
        "event_unexpected",
        "names no event in the events",
        forgeries.with_claim("events", {}),
    ),
    _logout(
        "logout_jti_number",
        "jti_malformed",
        "names the logout token by a number",
        forgeries.with_claim("jti", 1),
    ),
    _logout(
        "logout_null_nonce",
        "claim_forbidden",
        "ends a session by a token with a nonce that is null",
        forgeries.with_claim("nonce", None),
    ),
    _logout(
        "logout_embedded_key",
        "signature_invalid",
        "has a stranger end a session who sends his key along",
        forgeries.signed_by_embedded_key,
    ),
    _logout(
        "logout_typ_event",
        "typ_unexpected",
        "ends a session by another event token",
        forgeries.with_header("typ", "secevent+jwt"),
    ),
    _logout(
        "logout_typ_plain",
        "typ_unexpected",
        "ends a session by a token of no kind",
        forgeries.with_header("typ", "JWT"),
        needs="strict",
        when=of_policy(lambda policy: policy.require_logout_typ),
    ),
    _logout(
        "logout_no_sid",
        "sid_missing",
        "does not say which session it ends",
        forgeries.without_claim("sid"),
        needs="strict",
        when=of_client(lambda client: client.backchannel_logout_session_required),
    ),
)

ROWS: Final = (*_WHO, *_WHEN, *_WHICH, *_REFRESHED, *_ENDS)
