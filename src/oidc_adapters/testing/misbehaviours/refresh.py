"""A provider with faults when it refreshes tokens, after an honest login (OIDC Core §12.2)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import PLAIN_ID_TOKEN, Condition, always


def _row(
    name: str, code: str, summary: str, changes: Changes, when: Condition = always
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


def _claim(name: str, value: object) -> Changes:
    return Changes(id_token=forgeries.with_claim(name, value))


ROWS: Final = (
    _row(
        "refresh_other_sub",
        "sub_mismatch",
        "refreshes to an ID token about another user",
        _claim("sub", "mallory"),
    ),
    _row(
        "refresh_other_iss",
        "iss_mismatch",
        "refreshes to an ID token of another issuer",
        _claim("iss", "https://other.example"),
    ),
    _row(
        "refresh_other_aud",
        "aud_mismatch",
        "refreshes to an ID token for another client",
        _claim("aud", "another-client"),
    ),
    _row(
        "refresh_other_azp",
        "azp_mismatch",
        "refreshes to an ID token issued to another client",
        _claim("azp", "another-client"),
    ),
    _row(
        "refresh_changed_nonce",
        "nonce_mismatch",
        "refreshes to an ID token with another nonce",
        _claim("nonce", "another-nonce"),
    ),
    _row(
        "refresh_older_auth_time",
        "auth_time_mismatch",
        "refreshes to an ID token of an earlier authentication",
        Changes(id_token=forgeries.claim_earlier("auth_time", 86_400)),
    ),
    _row(
        "refresh_expired_id_token",
        "exp_expired",
        "refreshes to an expired ID token",
        Changes(id_token=forgeries.expired),
    ),
    _row(
        "refresh_alg_none",
        "alg_not_allowed",
        "refreshes to an ID token without a signature",
        Changes(id_token=forgeries.unsigned),
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "refresh_bad_signature",
        "signature_invalid",
        "refreshes to an ID token with a damaged signature",
        Changes(id_token=forgeries.damaged_signature),
    ),
    _row(
        "refresh_invalid_grant",
        "provider_error",
        "refuses the refresh token",
        Changes(answer=answers.oauth_error("invalid_grant", status=400)),
    ),
    _row(
        "refresh_dropped",
        "refresh_in_doubt",
        "takes the refresh token and closes the connection",
        Changes(answer=answers.dropped),
    ),
)
