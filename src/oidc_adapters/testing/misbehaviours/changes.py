"""The parts of a misbehaviour: a row of data and the changes it makes to an honest provider."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.parties import AuthorizationResponse, BackchannelLogout, Members
from oidc_adapters.testing.signing import JwtDraft
from oidc_core.wire.http import Answer, HttpResponse

Endpoint: TypeAlias = Literal["discovery", "authorization", "token", "keys", "userinfo", "logout"]
During: TypeAlias = Literal["discovery", "login", "userinfo", "refresh", "logout"]
Needs: TypeAlias = Literal[
    "",
    "max_age",
    "acr",
    "signed_userinfo",
    "encrypted_id_token",
    "encrypted_userinfo",
    "EdDSA",
]


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
    id_token: Callable[[JwtDraft], str] = JwtDraft.signed
    tokens: Callable[[Members], Members] = same_members
    userinfo: Callable[[Members], Members] = same_members
    userinfo_jwt: Callable[[JwtDraft], str] = JwtDraft.signed
    logout_token: Callable[[JwtDraft], str] = JwtDraft.signed
    logout: Callable[[BackchannelLogout], BackchannelLogout] = same_logout
    encrypted: Callable[[JweDraft], str] = JweDraft.encrypted
    answer: Callable[[HttpResponse], Answer] = same_answer

    def without_answer(self) -> "Changes":
        """Return the changes except the one of the whole answer."""
        return evolve(self, answer=same_answer)


HONEST = Changes()


@frozen(kw_only=True)
class Misbehaviour:
    """One way in which a provider breaks its word.

    Attributes:
        name: what ``FakeProvider(misbehave=…)`` calls it.
        endpoint: whose answer is wrong; ``logout`` for the provider's own request.
        during: which operation must refuse it: discovery, the login without UserInfo, the login
            that requires UserInfo, a refresh after an honest login, or a logout that the provider
            begins and tells twice.
        code: the code of the error that a correct client refuses it with.
        summary: what the provider does, in one line.
        needs: what a client must have asked for or registered, or the rule would not apply:
            ``max_age`` or ``acr`` in the login's request, ``signed_userinfo`` registered,
            ``EdDSA`` as the ID token's algorithm; ``encrypted_id_token`` or ``encrypted_userinfo``
            (signed, too) registered with ``ECDH-ES+A128KW`` and ``A128GCM`` for a key on P-256.
            Empty: nothing.
        changes: what is changed.
    """

    name: str
    endpoint: Endpoint
    during: During
    code: str
    summary: str
    needs: Needs = ""
    changes: Changes = field(repr=False)
