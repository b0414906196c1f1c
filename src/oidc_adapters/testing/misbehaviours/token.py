"""A provider with faults in the token answer around the ID token (OIDC Core §3.1.3.3)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.rows import tokens_with, whole_answer
from oidc_adapters.testing.parties import Members


def _row(name: str, code: str, summary: str, changes: Changes) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        changes=changes,
    )


def _without(name: str) -> Changes:
    def change(members: Members) -> Members:
        return {known: value for known, value in members.items() if known != name}

    return Changes(tokens=change)


ROWS: Final = (
    _row(
        "token_html",
        "content_type_unexpected",
        "answers 200 with a page",
        whole_answer(answers.html),
    ),
    _row(
        "token_not_json",
        "json_malformed",
        "answers with half a JSON object",
        whole_answer(answers.with_body(b'{"access_token":')),
    ),
    _row(
        "token_array",
        "json_not_object",
        "answers with an array",
        whole_answer(answers.with_body(b"[]")),
    ),
    _row("token_utf16", "json_not_utf8", "answers in UTF-16", whole_answer(answers.utf16)),
    _row(
        "token_redirect",
        "http_redirect_refused",
        "redirects the code to another host",
        whole_answer(answers.redirect),
    ),
    _row(
        "token_500",
        "http_status_unexpected",
        "sends tokens with the status of a failure",
        whole_answer(answers.with_status(500)),
    ),
    _row(
        "token_400_html",
        "http_status_unexpected",
        "refuses with a page",
        whole_answer(answers.html_with_status(400)),
    ),
    _row(
        "token_invalid_grant",
        "provider_error",
        "refuses the code",
        whole_answer(answers.oauth_error("invalid_grant", status=400)),
    ),
    _row(
        "token_200_with_error",
        "provider_error",
        "refuses the code with the status of a success",
        whole_answer(answers.oauth_error("invalid_grant", status=200)),
    ),
    _row(
        "token_dropped",
        "code_in_doubt",
        "takes the code and closes the connection",
        whole_answer(answers.dropped),
    ),
    _row(
        "token_encoded",
        "code_in_doubt",
        "answers with a Content-Encoding nobody offered",
        whole_answer(answers.gzipped),
    ),
    _row(
        "wrong_token_type",
        "token_type_mismatch",
        "gives a token of a type nobody asked for",
        tokens_with("token_type", "mac"),
    ),
    _row(
        "no_token_type",
        "token_type_mismatch",
        "gives a token without a type",
        _without("token_type"),
    ),
    _row(
        "no_access_token",
        "token_response_invalid",
        "gives no access token",
        _without("access_token"),
    ),
    _row(
        "access_token_not_a_string",
        "token_response_invalid",
        "gives a number as access token",
        tokens_with("access_token", 1),
    ),
    _row(
        "access_token_with_line_break",
        "access_token_malformed",
        "gives an access token that would split a header",
        tokens_with("access_token", "abc\r\nx-injected: 1"),
    ),
    _row(
        "duplicate_access_token",
        "json_member_duplicated",
        "gives two access tokens in one object",
        whole_answer(answers.twice("access_token", "another")),
    ),
    _row("no_id_token", "id_token_missing", "gives no ID token", _without("id_token")),
)
