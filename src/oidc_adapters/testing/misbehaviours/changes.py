"""The parts of a misbehaviour: a row of data and the changes it makes to an honest provider."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final, Literal, TypeAlias

from attrs import evolve, field, frozen

from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.misbehaviours.conditions import (
    BY_NEED,
    BY_OPERATION,
    Condition,
    During,
    Needs,
    always,
)
from oidc_adapters.testing.parties import AuthorizationResponse, BackchannelLogout, Members
from oidc_adapters.testing.signing import JwtDraft
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer
from oidc_core.wire.settings import check_fields, fields_of

Endpoint: TypeAlias = Literal["discovery", "authorization", "token", "keys", "userinfo", "logout"]


def same_members(members: Members) -> Members:
    """Change nothing."""
    return members


def same_callback(callback: AuthorizationResponse) -> AuthorizationResponse:
    """Change nothing."""
    return callback


def same_logout(logout: BackchannelLogout) -> BackchannelLogout:
    """Change nothing."""
    return logout


def same_answer(answer: HttpResponse) -> Answer:
    """Change nothing."""
    return answer


def signed(draft: JwtDraft) -> str:
    """Sign it as it is."""
    return draft.signed()


def encrypted(draft: JweDraft) -> str:
    """Encrypt it as it is."""
    return draft.encrypted()


@frozen(kw_only=True)
class _PassedOnJwt(JwtDraft):
    """A JWT that goes through a later change where an earlier one would sign it."""

    behind: JwtDraft
    later: Callable[[JwtDraft], str]

    def signed(self) -> str:
        """Hand it to the later change."""
        return self.later(evolve(self.behind, header=self.header, claims=self.claims, key=self.key))


@frozen(kw_only=True)
class _PassedOnJwe(JweDraft):
    """What goes through a later change where an earlier one would encrypt it."""

    behind: JweDraft
    later: Callable[[JweDraft], str]

    def encrypted(self) -> str:
        """Hand it to the later change."""
        header, plaintext, recipient = self.header, self.plaintext, self.recipient
        return self.later(
            evolve(self.behind, header=header, plaintext=plaintext, recipient=recipient)
        )


def _jwt(
    earlier: Callable[[JwtDraft], str], later: Callable[[JwtDraft], str]
) -> Callable[[JwtDraft], str]:
    if signed in (earlier, later):
        return later if earlier is signed else earlier

    def change(draft: JwtDraft) -> str:
        reached = False

        def go_on(changed: JwtDraft) -> str:
            nonlocal reached
            reached = True
            return later(changed)

        token = earlier(_passed_on_jwt(draft, go_on))
        # One that writes the token by itself comes last, wherever it was named.
        return token if reached else later(_passed_on_jwt(draft, earlier))

    return change


def _passed_on_jwt(draft: JwtDraft, later: Callable[[JwtDraft], str]) -> JwtDraft:
    return _PassedOnJwt(
        header=draft.header,
        claims=draft.claims,
        key=draft.key,
        now=draft.now,
        behind=draft,
        later=later,
    )


def _jwe(
    earlier: Callable[[JweDraft], str], later: Callable[[JweDraft], str]
) -> Callable[[JweDraft], str]:
    if encrypted in (earlier, later):
        return later if earlier is encrypted else earlier

    def change(draft: JweDraft) -> str:
        passed = _PassedOnJwe(
            header=draft.header,
            plaintext=draft.plaintext,
            recipient=draft.recipient,
            alg=draft.alg,
            enc=draft.enc,
            seed=draft.seed,
            behind=draft,
            later=later,
        )
        return earlier(passed)

    return change


@frozen(kw_only=True)
class Changes:
    """Places where an honest provider can be made to fail; each part takes the honest message.

    Attributes:
        metadata: the members of the metadata.
        key_set: the members of the key set.
        callback: the authorization response.
        id_token: the ID token about to be signed, to the compact JWT.
        tokens: the members of the token answer.
        userinfo: the members of plain UserInfo.
        userinfo_jwt: signed UserInfo about to be signed, to the compact JWT.
        logout_token: the logout token about to be signed, to the compact JWT.
        logout: the request that brings the logout token.
        encrypted: what is signed and about to be encrypted, to the compact JWE.
        answer: the whole answer of the row's endpoint.
    """

    metadata: Callable[[Members], Members] = same_members
    key_set: Callable[[Members], Members] = same_members
    callback: Callable[[AuthorizationResponse], AuthorizationResponse] = same_callback
    id_token: Callable[[JwtDraft], str] = signed
    tokens: Callable[[Members], Members] = same_members
    userinfo: Callable[[Members], Members] = same_members
    userinfo_jwt: Callable[[JwtDraft], str] = signed
    logout_token: Callable[[JwtDraft], str] = signed
    logout: Callable[[BackchannelLogout], BackchannelLogout] = same_logout
    encrypted: Callable[[JweDraft], str] = encrypted
    answer: Callable[[HttpResponse], Answer] = same_answer

    def __attrs_post_init__(self) -> None:
        check_fields(self, _CHANGES)

    def without_answer(self) -> "Changes":
        """Return the changes except the one of the whole answer."""
        return evolve(self, answer=same_answer)

    def then(self, later: "Changes") -> "Changes":
        """Return these changes followed by others.

        A later change takes the message that the earlier ones made.  A change that writes a JWT by
        itself (for example, one without a signature) is the last of those of a JWT, wherever it
        stands; of two such changes one has no effect.
        """
        return Changes(
            metadata=lambda members: later.metadata(self.metadata(members)),
            key_set=lambda members: later.key_set(self.key_set(members)),
            callback=lambda callback: later.callback(self.callback(callback)),
            id_token=_jwt(self.id_token, later.id_token),
            tokens=lambda members: later.tokens(self.tokens(members)),
            userinfo=lambda members: later.userinfo(self.userinfo(members)),
            userinfo_jwt=_jwt(self.userinfo_jwt, later.userinfo_jwt),
            logout_token=_jwt(self.logout_token, later.logout_token),
            logout=lambda logout: later.logout(self.logout(logout)),
            encrypted=_jwe(self.encrypted, later.encrypted),
            answer=_answer(self.answer, later.answer),
        )


def _answer(
    earlier: Callable[[HttpResponse], Answer], later: Callable[[HttpResponse], Answer]
) -> Callable[[HttpResponse], Answer]:
    def change(answer: HttpResponse) -> Answer:
        said = earlier(answer)
        return said if isinstance(said, NoAnswer) else later(said)

    return change


_CHANGES: Final = fields_of(Changes)

HONEST = Changes()


def together(changes: Iterable[Changes]) -> Changes:
    """Return several changes as one, in their order; of none the honest one."""
    return reduce(
        lambda earlier, later: later if earlier is HONEST else earlier.then(later), changes, HONEST
    )


@frozen(kw_only=True)
class Deviation:
    """One way in which a provider says something else than it usually says.

    Attributes:
        name: what ``FakeProvider(misbehave=…)`` calls it.
        endpoint: whose answer differs; ``logout`` for the provider's own request.
        during: the operation in which a client meets it: discovery, the login without UserInfo, the
            login that requires UserInfo, a refresh after an honest login, or a logout that the
            provider begins and tells twice.
        summary: what the provider does, in one line.
        needs: what a client must have asked for or registered, or it would not meet it:
            ``max_age`` or ``acr`` in the login's request, ``signed_userinfo`` registered,
            ``EdDSA`` as the ID token's algorithm; ``encrypted_id_token`` or ``encrypted_userinfo``
            (signed, too) registered with ``ECDH-ES+A128KW`` and ``A128GCM`` for a key on P-256;
            ``strict``: a policy with every ``require_…`` and ``forbid_…`` of claims, scopes and
            tokens, and sessions that logout tokens must name.  Empty: nothing.
        changes: what is changed.
        when: a condition on the client besides; see :meth:`applies`.
        contradicts: whether a ``sub``, ``iss`` or ``aud`` of UserInfo is there and differs. That
            ends a login even where UserInfo is optional; any other fault of UserInfo does not.
    """

    name: str
    endpoint: Endpoint
    during: During
    summary: str
    needs: Needs = ""
    changes: Changes = field(repr=False)
    when: Condition = field(default=always, repr=False)
    contradicts: bool = False

    def __attrs_post_init__(self) -> None:
        check_fields(self, _DEVIATION)

    def applies(
        self, policy: Policy, client: ClientRegistration, request: AuthenticationRequest
    ) -> bool:
        """Return whether such a client meets it in such a login, and judges it.

        A misbehaviour that applies is refused, by its code.  Where it does not apply, the client
        may accept it, because the rule is none of its rules or the message is not read, or another
        rule may refuse it first.

        Args:
            policy: the client's rules.
            client: its registration.
            request: its demands on the login.
        """
        heard = self.contradicts and policy.userinfo == "optional"
        return (
            (heard or BY_OPERATION[self.during](policy, client, request))
            and BY_NEED[self.needs](policy, client, request)
            and self.when(policy, client, request)
        )


_DEVIATION: Final = fields_of(Deviation)


@frozen(kw_only=True)
class Misbehaviour(Deviation):
    """One way in which a provider breaks its word.

    Its attributes are those of :class:`Deviation`, and one more.

    Attributes:
        code: the code of the error that a correct client refuses it with.
    """

    code: str

    def __attrs_post_init__(self) -> None:
        check_fields(self, _MISBEHAVIOUR)


_MISBEHAVIOUR: Final = fields_of(Misbehaviour)
