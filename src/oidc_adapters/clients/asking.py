"""The demands of a login, given by keyword or as one value."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias, TypedDict

from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.endpoints.authorization.request import Display, Reauthentication
from oidc_core.model.claims import IdToken
from oidc_core.model.pending import ResponseMode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind

_Names: TypeAlias = list[str] | tuple[str, ...] | AbstractSet[str]
_Pairs: TypeAlias = (
    Mapping[str, str] | list[tuple[str, str]] | list[list[str]] | tuple[tuple[str, str], ...]
)


class Asked(TypedDict, total=False):
    """The members of :class:`~oidc_core.endpoints.authorization.AuthenticationRequest`."""

    scope: str
    redirect_uri: str
    response_mode: ResponseMode
    display: Display | Literal[""]
    prompt: str
    max_age: int | None
    reauthentication: Reauthentication
    ui_locales: str
    claims_locales: str
    id_token_hint: IdToken | str | None
    login_hint: str
    acr_values: str
    required_acr: _Names
    claims: Mapping[str, object] | None
    resource: _Names
    nonce: str
    extra: _Pairs
    expected_sub: str | None
    account: str


_NAMES: Final = frozenset(Asked.__annotations__)


def request_of(request: AuthenticationRequest, asked: Asked) -> AuthenticationRequest:
    """Return the request that is made of either.

    Raises:
        UsageError: ``parameter_invalid`` for both, or for a keyword that no request has.
    """
    check_kind(request, AuthenticationRequest, about="request")
    if not asked:
        return request
    if request is not DEFAULT_REQUEST:
        expected = "either a request or keywords"
        raise UsageError("parameter_invalid", about="request", expected=expected)
    unknown = sorted(asked.keys() - _NAMES)
    if unknown:
        expected = "a member of AuthenticationRequest"
        raise UsageError("parameter_invalid", about=unknown[0], expected=expected)
    return AuthenticationRequest(**asked)
