"""A provider with odd members in the authorization response or the token answer."""

from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    Condition,
    Needs,
    always,
    of_policy,
    within,
)
from oidc_adapters.testing.misbehaviours.rows import response_row, tokens_with
from oidc_adapters.testing.parties import AuthorizationResponse
from oidc_core.wire.limits import LIMITS


def _answer(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    needs: Needs = "",
    when: Condition = always,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        needs=needs,
        changes=changes,
        when=when,
    )


def _set(name: str, value: str) -> Changes:
    """Set a parameter of the response, or add it."""

    def change(callback: AuthorizationResponse) -> AuthorizationResponse:
        rest = [pair for pair in callback.parameters if pair[0] != name]
        return evolve(callback, parameters=(*rest, (name, value)))

    return Changes(callback=change)


def _plus(name: str, value: str) -> Changes:
    return Changes(
        callback=lambda callback: evolve(callback, parameters=(*callback.parameters, (name, value)))
    )


def _error(error: str) -> Changes:
    def change(callback: AuthorizationResponse) -> AuthorizationResponse:
        rest = [pair for pair in callback.parameters if pair[0] in {"state", "iss"}]
        return evolve(callback, parameters=(("error", error), *rest))

    return Changes(callback=change)


_RESPONSES: Final = (
    response_row("empty_state", "state_missing", "returns an empty state", _set("state", "")),
    response_row("empty_code", "code_missing", "returns an empty code", _set("code", "")),
    response_row(
        "foreign_code",
        "provider_error",
        "returns a code of somebody else, which it then refuses",
        _set("code", "injected"),
    ),
    response_row("empty_iss", "response_iss_missing", "returns an empty iss", _set("iss", "")),
    response_row(
        "iss_with_slash",
        "response_iss_mismatch",
        "returns its issuer with a slash more",
        Changes(
            callback=lambda callback: evolve(
                callback,
                parameters=tuple(
                    [
                        (name, value + "/" if name == "iss" else value)
                        for name, value in callback.parameters
                    ]
                ),
            )
        ),
    ),
    response_row(
        "duplicate_iss",
        "parameter_duplicated",
        "returns two issuers",
        _plus("iss", "https://other.example"),
    ),
    response_row(
        "duplicate_error",
        "parameter_duplicated",
        "returns two errors",
        Changes(
            callback=lambda callback: evolve(
                callback,
                parameters=(("error", "a"), ("error", "b"), *callback.parameters),
            )
        ),
    ),
    response_row(
        "state_with_control_character",
        "parameter_malformed",
        "returns a state with a null character in it",
        _set("state", "a\x00b"),
    ),
    response_row(
        "error_with_quote",
        "parameter_malformed",
        "refuses the login with an error that is no error",
        _error('"<script>"'),
    ),
    response_row(
        "response_as_jwt",
        "parameter_unexpected",
        "returns a JWT that nobody asked for",
        _plus("response", "eyJhbGciOiJub25lIn0.e30."),
    ),
    response_row(
        "login_required",
        "provider_error",
        "says that the user has to log in",
        _error("login_required"),
    ),
)
_ANSWERS: Final = (
    _answer(
        "token_empty",
        "json_malformed",
        "sends nothing as token answer",
        Changes(answer=answers.with_body(b"")),
    ),
    _answer(
        "token_invalid_client",
        "provider_error",
        "does not know the client",
        Changes(answer=answers.oauth_error("invalid_client", status=401)),
    ),
    _answer(
        "token_unavailable",
        "provider_error",
        "is temporarily unavailable",
        Changes(answer=answers.oauth_error("temporarily_unavailable", status=503)),
    ),
    _answer(
        "token_no_content",
        "http_status_unexpected",
        "answers that there is no content",
        Changes(answer=answers.with_status(204)),
    ),
    _answer(
        "token_created",
        "http_status_unexpected",
        "answers that it created something",
        Changes(answer=answers.with_status(201)),
    ),
    _answer(
        "token_byte_order_mark",
        "json_not_utf8",
        "answers with a byte order mark",
        Changes(answer=answers.marked),
    ),
    _answer(
        "token_nan",
        "json_number_invalid",
        "answers with an invalid number",
        Changes(answer=answers.with_rendered_member("x", "NaN")),
    ),
    _answer(
        "token_nested",
        "json_too_deep",
        "nests the answer a hundred times",
        Changes(answer=answers.with_rendered_member("x", 100 * "[" + 100 * "]")),
    ),
    _answer(
        "token_too_large",
        "code_in_doubt",
        "answers beyond the limit",
        Changes(answer=answers.padded(LIMITS.token_response + 1)),
        when=within("token_response", LIMITS.token_response + 1),
    ),
    _answer(
        "duplicate_id_token",
        "json_member_duplicated",
        "gives two ID tokens in one object",
        Changes(answer=answers.twice("id_token", "another")),
    ),
    _answer(
        "tokens_and_error",
        "provider_error",
        "gives tokens and an error in one object",
        tokens_with("error", "invalid_grant"),
    ),
    _answer(
        "error_not_a_string",
        "token_response_invalid",
        "gives tokens and an error that is a number",
        tokens_with("error", 7),
    ),
    _answer(
        "token_type_number",
        "token_type_mismatch",
        "names the type of the token by a number",
        tokens_with("token_type", 1),
    ),
    _answer(
        "token_type_dpop",
        "token_type_mismatch",
        "gives a bound token though nobody asked for that",
        tokens_with("token_type", "DPoP"),
    ),
    _answer(
        "empty_access_token",
        "access_token_malformed",
        "gives an empty access token",
        tokens_with("access_token", ""),
    ),
    _answer(
        "null_access_token",
        "token_response_invalid",
        "gives no access token by name",
        tokens_with("access_token", None),
    ),
    _answer(
        "access_token_of_two_words",
        "access_token_malformed",
        "gives an access token with a space in it",
        tokens_with("access_token", "two words"),
    ),
    _answer(
        "id_token_number",
        "token_response_invalid",
        "gives a number as ID token",
        tokens_with("id_token", 7),
    ),
    _answer(
        "extra_scope",
        "scope_unexpected",
        "grants a scope that nobody asked for",
        Changes(tokens=lambda members: {**members, "scope": f"{members['scope']} admin"}),
        needs="strict",
        when=of_policy(lambda policy: policy.forbid_extra_scope),
    ),
    _answer(
        "id_token_empty", "id_token_missing", "gives an empty ID token", tokens_with("id_token", "")
    ),
    _answer(
        "id_token_null",
        "id_token_missing",
        "gives no ID token by name",
        tokens_with("id_token", None),
    ),
)

ROWS: Final = (*_RESPONSES, *_ANSWERS)
