"""A provider, or someone in the browser's way, that changes the authorization response wrongly."""

from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours.changes import Changes
from oidc_adapters.testing.misbehaviours.rows import response_row
from oidc_adapters.testing.parties import AuthorizationResponse
from oidc_core.endpoints.authorization.callback import MAX_STATE


def _with(name: str, value: str) -> Changes:
    """Set a parameter that is there."""

    def change(callback: AuthorizationResponse) -> AuthorizationResponse:
        changed = ((known, value if known == name else old) for known, old in callback.parameters)
        return evolve(callback, parameters=tuple(changed))

    return Changes(callback=change)


def _without(*names: str) -> Changes:
    def change(callback: AuthorizationResponse) -> AuthorizationResponse:
        kept = (pair for pair in callback.parameters if pair[0] not in names)
        return evolve(callback, parameters=tuple(kept))

    return Changes(callback=change)


def _plus(name: str, value: str) -> Changes:
    """Add a parameter, whether or not it is there."""
    return Changes(
        callback=lambda callback: evolve(callback, parameters=(*callback.parameters, (name, value)))
    )


def _error(error: str, *, iss: str | None = None, drop: str = "") -> Changes:
    """Answer with an error instead of a code, with another ``iss`` or without a parameter."""

    def change(callback: AuthorizationResponse) -> AuthorizationResponse:
        text = "<script>alert(1)</script>"
        rest = [pair for pair in callback.parameters if pair[0] in {"state", "iss"}]
        if iss is not None:
            rest = [(name, iss if name == "iss" else value) for name, value in rest]
        rest = [pair for pair in rest if pair[0] != drop]
        answer = (("error", error), ("error_description", text), *rest)
        return evolve(callback, parameters=answer)

    return Changes(callback=change)


def _other_mode(callback: AuthorizationResponse) -> AuthorizationResponse:
    mode: Final = "query" if callback.mode == "form_post" else "form_post"
    return evolve(callback, mode=mode)


ROWS: Final = (
    response_row("wrong_state", "state_unknown", "returns another state", _with("state", 43 * "x")),
    response_row("no_state", "state_missing", "returns no state", _without("state")),
    response_row(
        "duplicate_state",
        "parameter_duplicated",
        "returns two states",
        _plus("state", 43 * "x"),
    ),
    response_row(
        "state_too_long",
        "parameter_too_long",
        "returns a state beyond the limit",
        _with("state", (MAX_STATE + 1) * "x"),
    ),
    response_row(
        "wrong_iss",
        "response_iss_mismatch",
        "names another issuer in the response",
        _with("iss", "https://other.example"),
    ),
    response_row(
        "no_iss", "response_iss_missing", "withholds the iss it promised", _without("iss")
    ),
    response_row("no_code", "code_missing", "returns neither code nor error", _without("code")),
    response_row(
        "duplicate_code", "parameter_duplicated", "returns two codes", _plus("code", "another")
    ),
    response_row(
        "code_with_control_character",
        "parameter_malformed",
        "returns a code with a line feed in it",
        _with("code", "abc\ndef"),
    ),
    response_row(
        "code_and_error",
        "response_ambiguous",
        "returns a code and an error",
        _plus("error", "access_denied"),
    ),
    response_row(
        "id_token_in_response",
        "parameter_unexpected",
        "returns an ID token in addition to the code",
        _plus("id_token", "eyJhbGciOiJub25lIn0.e30."),
    ),
    response_row(
        "access_token_in_response",
        "parameter_unexpected",
        "returns an access token in addition to the code",
        _plus("access_token", "abc"),
    ),
    response_row(
        "other_response_mode",
        "response_mode_mismatch",
        "returns a form where a query was asked for, or the reverse",
        Changes(callback=_other_mode),
    ),
    response_row("access_denied", "provider_error", "refuses the login", _error("access_denied")),
    response_row("server_error", "provider_error", "says that it failed", _error("server_error")),
    response_row(
        "error_without_iss",
        "provider_error",
        "refuses the login and withholds the iss it promised",
        _error("access_denied", drop="iss"),
    ),
    response_row(
        "error_with_wrong_iss",
        "response_iss_mismatch",
        "refuses the login in another provider's name",
        _error("access_denied", iss="https://other.example"),
    ),
    response_row(
        "error_without_state",
        "state_missing",
        "refuses the login and returns no state",
        _error("access_denied", drop="state"),
    ),
)
