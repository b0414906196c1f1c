"""Messages of the provider by seed: metadata, callbacks and token answers, good or with a fault."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.misbehaviours import HONEST, MISBEHAVIOURS, Changes, Misbehaviour
from oidc_adapters.testing.parties import AuthorizationResponse, ResponseMode
from oidc_adapters.testing.samples.keys import NOTHING, changed, check_choice
from oidc_adapters.testing.samples.parties import (
    ISSUER,
    METADATA,
    NOW,
    REDIRECT_URI,
    login_secrets,
    named_secret,
)
from oidc_adapters.testing.samples.sample import Sample
from oidc_adapters.testing.samples.token_faults import parts_of
from oidc_adapters.testing.samples.tokens import SignedToken
from oidc_adapters.testing.signing import rendered
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import Answer, HttpResponse
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_fields, fields_of, json_object, pairs

_GOOD: Final = SignedToken()
_JSON: Final = (("content-type", "application/json"),)


_OF_SEVERAL: Final = frozenset({"foreign_code"})
"""Faults that a client sees only in a later message."""


def _rows(endpoint: str, during: str, *parts: str) -> Mapping[str, Misbehaviour]:
    """Return the misbehaviours of an endpoint that change nothing else."""
    found = {
        name: row
        for name, row in MISBEHAVIOURS.items()
        if (row.endpoint, row.during, row.needs) == (endpoint, during, "")
        and name not in _OF_SEVERAL
        and parts_of(row.changes)
        and parts_of(row.changes) <= {*parts}
    }
    return MappingProxyType(found)


METADATA_FAULTS: Final = _rows("discovery", "discovery", "metadata", "answer")
"""The misbehaviours that metadata can be an example of, by name."""

CALLBACK_FAULTS: Final = _rows("authorization", "login", "callback")
"""The misbehaviours that a callback can be an example of, by name."""

TOKEN_RESPONSE_FAULTS: Final = _rows("token", "login", "tokens", "answer")
"""The misbehaviours that an answer of the token endpoint can be an example of, by name."""


def _code(rows: Mapping[str, Misbehaviour], fault: str) -> str:
    return rows[fault].code if fault else ""


def _changes(rows: Mapping[str, Misbehaviour], fault: str) -> Changes:
    return rows[fault].changes if fault else HONEST


@frozen(kw_only=True, repr=False)
class SampleMetadata(Sample):
    """The provider's metadata document.

    Attributes:
        members: changes to its members; ``None`` leaves a member out.
        fault: a name in :data:`METADATA_FAULTS`; empty for a good document.
    """

    members: JsonObject = field(default=NOTHING, converter=json_object)
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _METADATA)
        check_choice(self.fault, ("", *METADATA_FAULTS), "fault")

    @property
    def code(self) -> str:
        """The code that a client refuses it with; empty for good metadata."""
        return _code(METADATA_FAULTS, self.fault)

    @property
    def document(self) -> dict[str, object]:
        """The members of the document."""
        honest = changed({**METADATA}, self.members)
        return {**_changes(METADATA_FAULTS, self.fault).metadata(honest)}

    @property
    def answer(self) -> Answer:
        """The answer at the well-known path."""
        response = HttpResponse(200, _JSON, rendered(self.document), NOW)
        return _changes(METADATA_FAULTS, self.fault).answer(response)


_METADATA: Final = fields_of(SampleMetadata)


@frozen(kw_only=True, repr=False)
class SampleCallback(Sample):
    """The authorization response that a browser brings back, to a login of this seed.

    Attributes:
        login_seed: the seed of the login: of its state and of the code.
        response_mode: ``query`` or ``form_post``, as the login asked.
        extra: further parameters, which a client ignores.
        extra_first: whether these come before the others.
        fault: a name in :data:`CALLBACK_FAULTS`; empty for a good callback.
    """

    login_seed: int = 0
    response_mode: ResponseMode = "query"
    extra: tuple[tuple[str, str], ...] = field(default=(), converter=pairs)
    extra_first: bool = False
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _CALLBACK)
        check_choice(self.fault, ("", *CALLBACK_FAULTS), "fault")

    @property
    def code(self) -> str:
        """The code that a client refuses it with; empty for a good callback."""
        return _code(CALLBACK_FAULTS, self.fault)

    @property
    def response(self) -> AuthorizationResponse:
        """The response with its parameters."""
        own = (
            ("code", named_secret("code", self.login_seed)),
            ("state", login_secrets(self.login_seed).state),
            ("iss", ISSUER),
        )
        honest = AuthorizationResponse(
            redirect_uri=REDIRECT_URI,
            mode=self.response_mode,
            parameters=(*self.extra, *own) if self.extra_first else (*own, *self.extra),
            session=None,
        )
        return _changes(CALLBACK_FAULTS, self.fault).callback(honest)

    def incoming(self, cookie: str = "") -> Incoming:
        """Return the request that the client's redirect URI gets, with a ``Cookie`` header."""
        return self.response.incoming(cookie)


_CALLBACK: Final = fields_of(SampleCallback)


@frozen(kw_only=True, repr=False)
class SampleTokenResponse(Sample):
    """An answer of the token endpoint.

    Attributes:
        id_token: the ID token in it; the access token is the one of the same login.
        refreshable: whether it has a refresh token.
        members: changes to its members; ``None`` leaves a member out.
        fault: a name in :data:`TOKEN_RESPONSE_FAULTS`; empty for a good answer.
    """

    id_token: SignedToken = _GOOD
    refreshable: bool = False
    members: JsonObject = field(default=NOTHING, converter=json_object)
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _TOKEN_RESPONSE)
        check_choice(self.fault, ("", *TOKEN_RESPONSE_FAULTS), "fault")
        if self.id_token.kind != "id_token" or self.id_token.needs in {"max_age", "acr"}:
            expected = "an ID token of a login that asked for nothing"
            raise UsageError("config_invalid", about="id_token", expected=expected)

    @property
    def code(self) -> str:
        """The code that a client refuses it with: its own, or that of its ID token."""
        return _code(TOKEN_RESPONSE_FAULTS, self.fault) or self.id_token.code

    @property
    def answer(self) -> Answer:
        """The answer; a dropped connection is one too."""
        seed = self.id_token.login_seed
        honest: dict[str, object] = {
            "access_token": self.id_token.access_token,
            "token_type": "Bearer",
            "expires_in": 3_600,
            "id_token": self.id_token.text,
        }
        if self.refreshable:
            honest["refresh_token"] = named_secret("refresh", seed)
        changes = _changes(TOKEN_RESPONSE_FAULTS, self.fault)
        body = rendered({**changes.tokens(changed(honest, self.members))})
        return changes.answer(HttpResponse(200, _JSON, body, NOW))


_TOKEN_RESPONSE: Final = fields_of(SampleTokenResponse)
