"""A provider with faults in UserInfo, plain and signed (OIDC Core §5.3.2, §5.3.4)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    JSON_USERINFO,
    PLAIN_USERINFO,
    UNENCRYPTED_USERINFO,
    Condition,
    Needs,
    always,
)
from oidc_adapters.testing.parties import Members


def _row(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    needs: Needs = "",
    when: Condition = always,
    contradicts: bool = False,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="userinfo",
        during="userinfo",
        code=code,
        summary=summary,
        needs=needs,
        changes=changes,
        when=when,
        contradicts=contradicts,
    )


def _with(name: str, value: object) -> Changes:
    return Changes(userinfo=lambda members: {**members, name: value})


def _without_sub(members: Members) -> Members:
    return {name: value for name, value in members.items() if name != "sub"}


ROWS: Final = (
    _row(
        "userinfo_other_sub",
        "sub_mismatch",
        "tells about another user",
        _with("sub", "mallory"),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    _row(
        "userinfo_no_sub",
        "sub_missing",
        "does not say which user it describes",
        Changes(userinfo=_without_sub),
        when=JSON_USERINFO,
    ),
    _row(
        "userinfo_sub_in_array",
        "sub_mismatch",
        "tells about a list of users",
        _with("sub", ["alice"]),
        when=JSON_USERINFO,
        contradicts=True,
    ),
    _row(
        "userinfo_duplicate_sub",
        "json_member_duplicated",
        "tells about two users in one object",
        Changes(answer=answers.twice("sub", "mallory")),
        when=PLAIN_USERINFO,
    ),
    _row(
        "userinfo_html",
        "content_type_unexpected",
        "sends a page as UserInfo",
        Changes(answer=answers.html),
    ),
    _row(
        "userinfo_500",
        "http_status_unexpected",
        "sends UserInfo with the status of a failure",
        Changes(answer=answers.with_status(500)),
    ),
    _row(
        "userinfo_redirect",
        "http_redirect_refused",
        "redirects the access token to another host",
        Changes(answer=answers.redirect),
    ),
    _row(
        "userinfo_dropped",
        "http_malformed",
        "closes the connection instead of sending UserInfo",
        Changes(answer=answers.dropped),
    ),
    _row(
        "userinfo_signed_wrong_aud",
        "aud_mismatch",
        "signs UserInfo for another client",
        Changes(userinfo_jwt=forgeries.with_claim("aud", "another-client")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    _row(
        "userinfo_signed_wrong_iss",
        "iss_mismatch",
        "signs UserInfo in another provider's name",
        Changes(userinfo_jwt=forgeries.with_claim("iss", "https://other.example")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    _row(
        "userinfo_signed_other_sub",
        "sub_mismatch",
        "signs UserInfo about another user",
        Changes(userinfo_jwt=forgeries.with_claim("sub", "mallory")),
        needs="signed_userinfo",
        contradicts=True,
    ),
    _row(
        "userinfo_signed_expired",
        "exp_expired",
        "signs expired UserInfo",
        Changes(userinfo_jwt=forgeries.expired),
        needs="signed_userinfo",
    ),
    _row(
        "userinfo_signed_alg_none",
        "alg_not_allowed",
        "sends a JWT without a signature as UserInfo",
        Changes(userinfo_jwt=forgeries.unsigned),
        needs="signed_userinfo",
        when=UNENCRYPTED_USERINFO,
    ),
    _row(
        "userinfo_signed_bad_signature",
        "signature_invalid",
        "sends UserInfo with a damaged signature",
        Changes(userinfo_jwt=forgeries.damaged_signature),
        needs="signed_userinfo",
    ),
)
