"""What the tables of misbehaviours share: rows of one kind, and changes of one member."""

from collections.abc import Callable

from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.misbehaviours import answers, forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import Condition, Needs, always


def id_token_row(
    name: str,
    code: str,
    summary: str,
    change: forgeries.JwtChange,
    *,
    needs: Needs = "",
    when: Condition = always,
) -> Misbehaviour:
    """Return a row about the ID token of a login."""
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        needs=needs,
        changes=Changes(id_token=change),
        when=when,
    )


def userinfo_row(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    needs: Needs = "",
    when: Condition = always,
    contradicts: bool = False,
) -> Misbehaviour:
    """Return a row about UserInfo."""
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


def response_row(name: str, code: str, summary: str, changes: Changes) -> Misbehaviour:
    """Return a row about the authorization response."""
    return Misbehaviour(
        name=name,
        endpoint="authorization",
        during="login",
        code=code,
        summary=summary,
        changes=changes,
    )


def metadata_with(name: str, value: object) -> Changes:
    """Return the change that gives the metadata a member."""
    return Changes(metadata=lambda members: {**members, name: value})


def metadata_rewritten(name: str, rewrite: Callable[[str], str]) -> Changes:
    """Return the change that rewrites a member of the metadata."""
    return Changes(metadata=lambda members: {**members, name: rewrite(str(members[name]))})


def whole_answer(change: answers.AnswerChange) -> Changes:
    """Return the change of a whole answer."""
    return Changes(answer=change)


def tokens_with(name: str, value: object) -> Changes:
    """Return the change that gives the token answer a member."""
    return Changes(tokens=lambda members: {**members, name: value})


def userinfo_with(name: str, value: object) -> Changes:
    """Return the change that gives UserInfo a member."""
    return Changes(userinfo=lambda members: {**members, name: value})


def cleartext(draft: JweDraft) -> str:
    """Leave a token unencrypted."""
    return draft.plaintext.decode("ascii")
