"""The fake provider's configuration and memory, as its endpoints share them."""

from typing import Final, TypeAlias
from urllib.parse import urlsplit

from attrs import Factory, define, field

from oidc_adapters.testing.dialect import PLAIN, Dialect, HintRule, OfflineAccess, as_dialect
from oidc_adapters.testing.ledger import Grant, Ledger
from oidc_adapters.testing.misbehaviours import (
    MISBEHAVIOURS,
    ODD_BUT_LEGAL,
    Changes,
    Deviation,
    Endpoint,
    together,
)
from oidc_adapters.testing.parties import ALICE, BOB, FakeClient, FakeUser
from oidc_adapters.testing.signing import ALGORITHMS, SigningKey
from oidc_adapters.testing.signing_keys import KeyRing
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, check_kind, fields_of, texts

Misbehaves: TypeAlias = str | Deviation | tuple[str | Deviation, ...] | None
"""Misbehaviours, each by its name or as a row of one's own."""

ACR_VALUES = ("urn:example:password", "urn:example:two-factor")
"""How the provider authenticates, the weaker first: the default."""


def _as_misbehaves(value: Misbehaves | list[str | Deviation]) -> Misbehaves:
    return tuple(value) if isinstance(value, list) else value


def _known_misbehaviours(_state: object, _attribute: object, value: Misbehaves) -> None:
    for each in value if isinstance(value, tuple) else (value,):
        if not isinstance(each, Deviation):
            _known("misbehave", each or "", {"", *MISBEHAVIOURS, *ODD_BUT_LEGAL})


def _known_algorithm(_state: object, _attribute: object, value: str) -> None:
    _known("id_token_alg", value, {*ALGORITHMS})


def _known(about: str, value: object, known: set[str]) -> None:
    check_kind(value, str, about=about, code="config_invalid")
    if value not in known:
        found, expected = str(value), tuple(sorted(known))
        raise UsageError("config_invalid", about=about, found=found, expected=expected)


def _usable_issuer(_state: object, _attribute: object, value: str) -> None:
    check_kind(value, str, about="issuer", code="config_invalid")
    try:
        parts = urlsplit(value)
    except ValueError:  # as for an odd bracket
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc or "?" in value or "#" in value:
        raise UsageError("config_invalid", about="issuer", found=value, expected="a URL")


def _clients(value: list[FakeClient] | tuple[FakeClient, ...]) -> tuple[FakeClient, ...]:
    return tuple(value) if isinstance(value, list) else value


def _seed(value: int) -> int:
    check_kind(value, int, about="seed", code="config_invalid")
    return value  # what follows is made of it at once


def _users(value: list[FakeUser] | tuple[FakeUser, ...]) -> tuple[FakeUser, ...]:
    return tuple(value) if isinstance(value, list) else value


@define(kw_only=True)
class ProviderState:
    """Configuration (given) and memory (made) of a provider.

    Attributes:
        issuer: the issuer identifier; all endpoints lie under it.  With ``{…}`` in it, ID tokens
            have the claim ``tid`` of their user in that place.
        clients: the registered clients.
        users: who can sign in; the first unless another is named.
        id_token_alg: signs ID tokens of clients that registered no algorithm.
        userinfo_signed: whether UserInfo is signed for clients that registered no algorithm.
        refresh_id_token: whether a refresh answer has an ID token.
        refresh_grace: seconds for which a refresh token may be used again after its first use; each
            use brings another one, and those before stay good.
        offline_access: ``with_consent`` ignores that scope without ``prompt=consent``, as many real
            providers do (OIDC Core §11).  ``unasked`` gives a refresh token to every login, and
            ``access_type`` to those with ``access_type=offline`` and ``prompt=consent``.
        accepts_hint: which ID tokens of a client are a hint at the logout endpoint: all that were
            ``issued``, the ``newest`` one of a session, or those whose key is still published.
        sends_iss: whether authorization responses carry ``iss`` (RFC 9207), and metadata says so.
        session_management: whether authorization responses carry ``session_state``, and metadata
            names the page that checks it (OIDC Session Management 1.0).
        code_lifetime: seconds until a code expires.
        token_lifetime: seconds until an access token and an ID token expire.
        unasked: the names of claims that it states in ID tokens and in UserInfo though no scope
            asks for them, as many providers do with groups.
        dialect: the other ways in which it differs.  Where it says something of the above too, the
            dialect counts.
        skew: by how many seconds its clock is ahead of the time that it is told.
        misbehave: a misbehaviour or something that is odd but legal, by its name or as a row of
            one's own; several of them in a tuple, which are applied in that order; or ``None`` for
            a provider that is as usual.
        seed: everything random follows from it.
    """

    issuer: str = field(default="https://op.example", validator=_usable_issuer)
    clients: tuple[FakeClient, ...] = field(default=(FakeClient(),), converter=_clients)
    users: tuple[FakeUser, ...] = field(default=(ALICE, BOB), converter=_users)
    id_token_alg: str = field(default="RS256", validator=_known_algorithm)
    userinfo_signed: bool = False
    refresh_id_token: bool = True
    refresh_grace: int = 0
    offline_access: OfflineAccess = "always"
    accepts_hint: HintRule = "issued"
    sends_iss: bool = True
    session_management: bool = False
    code_lifetime: int = 60
    token_lifetime: int = 300
    unasked: tuple[str, ...] = field(default=(), converter=texts)
    dialect: Dialect = field(default=PLAIN, converter=as_dialect)
    skew: int = 0
    misbehave: Misbehaves = field(
        default=None, converter=_as_misbehaves, validator=_known_misbehaviours
    )
    seed: int = field(default=0, converter=_seed)
    ledger: Ledger = field(
        init=False, default=Factory(lambda self: Ledger(seed=self.seed), takes_self=True)
    )
    keys: KeyRing = field(
        init=False, default=Factory(lambda self: KeyRing(seed=self.seed), takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        if not self.users:
            raise UsageError("config_invalid", about="users", expected="at least one")

    @property
    def base(self) -> str:
        """The URL that the endpoints lie below."""
        return self.dialect.endpoints_below or self.issuer

    def issuer_for(self, sub: str) -> str:
        """Return the issuer of a user's ID tokens: of a pattern, the one of their tenant."""
        before, mark, rest = self.issuer.partition("{")
        if not mark:
            return self.issuer
        return f"{before}{self.user(sub).claims.get('tid', 'no-tenant')}{rest.partition('}')[2]}"

    @property
    def offline_rule(self) -> OfflineAccess:
        """When a login gets a refresh token."""
        return self.dialect.offline_access or self.offline_access

    @property
    def hint_rule(self) -> HintRule:
        """Which ID tokens are a hint at the logout endpoint."""
        return self.dialect.accepts_hint or self.accepts_hint

    @property
    def says_iss(self) -> bool:
        """Whether authorization responses carry ``iss``."""
        told = self.dialect.sends_iss
        return self.sends_iss if told is None else told

    @property
    def has_session_state(self) -> bool:
        """Whether authorization responses carry ``session_state``."""
        told = self.dialect.session_management
        return self.session_management if told is None else told

    @property
    def always_stated(self) -> tuple[str, ...]:
        """The names of claims that no scope has to ask for."""
        return (*self.unasked, *self.dialect.unasked)

    def gives_refresh_token(self, grant: Grant) -> bool:
        """Return whether a login gets a refresh token."""
        return self.offline_rule == "unasked" or "offline_access" in grant.scope

    def knows(self, sub: str) -> bool:
        """Return whether there is a user of that subject identifier."""
        return any(user.sub == sub for user in self.users)

    def client(self, client_id: str | None) -> FakeClient | None:
        """Return the registered client of that identifier."""
        return next((one for one in self.clients if one.client_id == client_id), None)

    def user(self, sub: str) -> FakeUser:
        """Return the user of that subject identifier.

        Raises:
            LookupError: no such user.
        """
        for user in self.users:
            if user.sub == sub:
                return user
        raise LookupError(sub)

    @property
    def misbehaviours(self) -> tuple[Deviation, ...]:
        """The rows of its misbehaviours, in the order in which they are applied."""
        given = self.misbehave if isinstance(self.misbehave, tuple) else (self.misbehave,)
        return tuple([self._row(each) for each in given if each])

    @staticmethod
    def _row(given: str | Deviation) -> Deviation:
        if isinstance(given, Deviation):
            return given
        return MISBEHAVIOURS[given] if given in MISBEHAVIOURS else ODD_BUT_LEGAL[given]

    def changes(self, endpoint: Endpoint, *, refreshing: bool = False) -> Changes:
        """Return the faults of an endpoint; a refresh and a logout have theirs in their own rows.

        A forged token may need a forged key set: only whole answers belong to one endpoint.
        """
        return together(
            row.changes if endpoint == row.endpoint else row.changes.without_answer()
            for row in self.misbehaviours
            if (row.endpoint == "logout") == (endpoint == "logout")
            and (endpoint != "token" or (row.during == "refresh") == refreshing)
        )

    def id_token_alg_of(self, client: FakeClient) -> str:
        """Return the algorithm of a client's ID tokens."""
        return client.id_token_signed_response_alg or self.id_token_alg

    def userinfo_alg_of(self, client: FakeClient) -> str | None:
        """Return the algorithm of a client's UserInfo, or ``None`` for plain JSON."""
        default = self.id_token_alg if self.userinfo_signed else None
        return client.userinfo_signed_response_alg or default

    def signing_algs(self) -> tuple[str, ...]:
        """Return all algorithms in use, the provider's own first."""
        algs = {self.id_token_alg: None}
        for client in self.clients:
            algs[self.id_token_alg_of(client)] = None
            algs[self.userinfo_alg_of(client) or self.id_token_alg] = None
        return tuple(algs)

    def signing_key(self, alg: str, client: FakeClient) -> SigningKey:
        """Return what signs with ``alg``: the provider's key, or the client's secret for HS*."""
        if ALGORITHMS[alg].family == "HS":
            return SigningKey(alg=alg, kid=None, private=client.client_secret.encode())
        return self.keys.signing_key(alg)


_FIELDS: Final = fields_of(ProviderState)
