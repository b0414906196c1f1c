"""A provider with faults in UserInfo, plain and signed (OIDC Core §5.3.2, §5.3.4)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes
from oidc_adapters.testing.misbehaviours.conditions import (
    JSON_USERINFO,
    PLAIN_USERINFO,
    UNENCRYPTED_USERINFO,
)
from oidc_adapters.testing.misbehaviours.rows import userinfo_row, userinfo_with
from oidc_adapters.testing.parties import Members


def _without_sub(members: Members) -> Members:
    return {name: value for name, value in members.items() if name != "sub"}


ROWS: Final = (
    userinfo_row(
        "userinfo_other_sub",
        "sub_mismatch",
        "tells about another user",
        userinfo_with("sub", "mallory"),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_no_sub",
        "sub_missing",
        "does not say which user it describes",
        Changes(userinfo=_without_sub),
        when=JSON_USERINFO,
    ),
    userinfo_row(
        "userinfo_sub_in_array",
        "sub_mismatch",
        "tells about a list of users",
        userinfo_with("sub", ["alice"]),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_duplicate_sub",
        "json_member_duplicated",
        "tells about two users in one object",
        Changes(answer=answers.twice("sub", "mallory")),
        when=PLAIN_USERINFO,
    ),
    userinfo_row(
        "userinfo_html",
        "content_type_unexpected",
        "sends a page as UserInfo",
        Changes(answer=answers.html),
    ),
    userinfo_row(
        "userinfo_500",
        "http_status_unexpected",
        "sends UserInfo with the status of a failure",
        Changes(answer=answers.with_status(500)),
    ),
    userinfo_row(
        "userinfo_redirect",
        "http_redirect_refused",
        "redirects the access token to another host",
        Changes(answer=answers.redirect),
    ),
    userinfo_row(
        "userinfo_dropped",
        "http_malformed",
        "closes the connection instead of sending UserInfo",
        Changes(answer=answers.dropped),
    ),
    userinfo_row(
        "userinfo_signed_wrong_aud",
        "aud_mismatch",
        "signs UserInfo for another client",
        Changes(userinfo_jwt=forgeries.with_claim("aud", "another-client")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_signed_wrong_iss",
        "iss_mismatch",
        "signs UserInfo in another provider's name",
        Changes(userinfo_jwt=forgeries.with_claim("iss", "https://other.example")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_signed_other_sub",
        "sub_mismatch",
        "signs UserInfo about another user",
        Changes(userinfo_jwt=forgeries.with_claim("sub", "mallory")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    userinfo_row(
        "userinfo_signed_expired",
        "exp_expired",
        "signs expired UserInfo",
        Changes(userinfo_jwt=forgeries.expired),
        needs="signed_userinfo",
    ),
    userinfo_row(
        "userinfo_signed_alg_none",
        "alg_not_allowed",
        "sends a JWT without a signature as UserInfo",
        Changes(userinfo_jwt=forgeries.unsigned),
        needs="signed_userinfo",
        when=UNENCRYPTED_USERINFO,
    ),
    userinfo_row(
        "userinfo_signed_bad_signature",
        "signature_invalid",
        "sends UserInfo with a damaged signature",
        Changes(userinfo_jwt=forgeries.damaged_signature),
        needs="signed_userinfo",
    ),
)
