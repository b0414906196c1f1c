"""The demands of a login on its tokens: one value, made once, handed whole to the rules."""

import re
from enum import Enum
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of, names


class NoNonce(Enum):
    """Stands for "no nonce was sent": a token that carries one belongs to another login."""

    EXPECTED = "no nonce"


PromptLogin: TypeAlias = Literal["", "proven", "unproven"]
PROMPT_LOGIN: Final[tuple[PromptLogin, ...]] = ("", "proven", "unproven")

EXPECT_NO_NONCE: Final = NoNonce.EXPECTED
"""In place of a nonce: the login sent no nonce, so its ID token must not have one."""

ADDED_MAX_AGE: Final = (
    'the library added max_age=0 because of prompt=login; reauthentication="unproven" asks without'
)
"""The remark of an error where the demand for a proof may be its cause."""


_RESOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x22\x24-\x7e]+")


def check_resources(resources: tuple[str, ...]) -> None:
    """Refuse a resource that is not an absolute URI, or has a fragment (RFC 8707 §2).

    Raises:
        UsageError: ``parameter_invalid``.
    """
    for resource in resources:
        if not _RESOURCE.fullmatch(resource):
            raise UsageError("parameter_invalid", about="resource", found=resource)


@frozen(kw_only=True)
class Demands:
    """The demands of a login on its ID token and on the granted scope.

    It is written down when the login starts, waits with it, and is never copied member by member:
    a member that no rule reads is a mistake, which a test finds.

    Attributes:
        nonce: the one sent, or :data:`EXPECT_NO_NONCE`.
        started_at: when the login started, in seconds since the epoch, for ``auth_time``.
        max_age: the re-authentication that was asked for, in seconds.
        required_acr: one of these must be ``acr``, if there are any.
        essential_claims: must be there.
        sub: the only user who may come back, if known.
        sub_iss: the issuer of that user, where each tenant is a separate issuer.
        scope: as asked for, space-delimited.
        resource: the resources asked for (RFC 8707); the tokens are for these.
        prompt_login: whether ``prompt=login`` was sent without a ``max_age`` of the application's
            own: ``proven`` if the library added ``max_age=0``, so that ``auth_time`` proves the new
            login; ``unproven`` if the application asked for no proof.
    """

    nonce: str | NoNonce = field(repr=False)
    started_at: int
    max_age: int | None = None
    required_acr: tuple[str, ...] = field(default=(), converter=names)
    essential_claims: tuple[str, ...] = field(default=(), converter=names)
    sub: str | None = field(default=None, repr=False)
    sub_iss: str | None = None
    scope: str = ""
    resource: tuple[str, ...] = field(default=(), converter=names)
    prompt_login: PromptLogin = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)


_FIELDS: Final = fields_of(Demands, "parameter_invalid")
