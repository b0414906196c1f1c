"""The rules for a provider: a frozen policy, and named relaxations of single checks.

A policy only ever chooses among safe things. A *quirk* is a mistake of a particular provider: a row
of :data:`QUIRKS` that relaxes one check, or changes one detail of a request, and shows in the
evidence of each login it touched. There is no quirk, flag or parameter for the signature, the
issuer, the audience, the expiry or the state. Two quirks relax nothing here: they only say in the
evidence that the context of the original system did without the browser's binding, or without the
server's certificate.
"""

from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from attrs import Factory, field, fields, frozen

from oidc_core.jose.algorithms import ASYMMETRIC, OPTIONAL
from oidc_core.model.digests import short_digest
from oidc_core.model.origins import (
    AddressRule,
    BackChannel,
    Origins,
    check_origins,
    frozen_back_channel,
    frozen_http_origins,
    frozen_named_origins,
)
from oidc_core.model.resends import ResendInDoubt, checked_resend
from oidc_core.wire.errors import UsageError
from oidc_core.wire.limits import LIMITS, Limits
from oidc_core.wire.settings import check_fields, fields_of, text_set
from oidc_core.wire.way import Channel

UserInfoRule: TypeAlias = Literal["never", "optional", "required"]

MAX_LEEWAY: Final = 120
_DAY: Final = 86_400
_FOREVER: Final = 2**53
_LIFETIMES: Final = (
    "login_lifetime",
    "id_token_age",
    "logout_token_age",
    "key_set_max_age",
    "assertion_lifetime",
)


class Quirk(NamedTuple):
    """A named departure: the relaxation, and the sentence it departs from."""

    name: str
    relaxes: str
    spec: str


QUIRKS: Final = MappingProxyType(
    {
        quirk.name: quirk
        for quirk in (
            Quirk("basic_raw_credentials", "id and secret are not encoded", "RFC 6749 §2.3.1"),
            Quirk("assertion_audience_token_endpoint", "aud of assertions", "OIDC Core §9"),
            Quirk("at_hash_sha256", "at_hash by SHA-256 with any alg", "OIDC Core §3.1.3.6"),
            Quirk("at_hash_half_of_64_for_ed448", "half of 64 octets", "OIDC Core §3.1.3.6"),
            Quirk("lenient_key_encoding", "how a key is encoded", "RFC 7518 §6.2, §6.3"),
            Quirk("omit_pkce", "no code_challenge is sent", "RFC 7636 §4.3"),
            Quirk("nonce_not_echoed", "nonce may be absent", "OIDC Core §3.1.3.7, 11"),
            Quirk("verified_as_text", "…_verified may be text: true, false", "OIDC Core §5.1"),
            Quirk("logout_uri", "sent for post_logout_redirect_uri", "RP-Initiated Logout §2"),
            Quirk("insecure_allow_http_loopback", "http on loopback", "OIDC Core §16.17"),
            Quirk("insecure_skip_tls_verification", "server unauthenticated", "OIDC Core §16.17"),
            Quirk("proxy_enforces_addresses", "addresses are left to others", "RFC 9728 §7.7"),
            Quirk("unbound_browser", "no proof of the browser", "RFC 9700 §4.7"),
        )
    }
)
"""All relaxations there are, by name."""


def _digest(policy: "Policy") -> str:
    """Digest the fields that differ from the default, so that a release may add one.

    They are checked first, because derived values come before everything else.
    """
    _check(policy)
    differing = [
        f"{attribute.name} {_written(getattr(policy, attribute.name))}"
        for attribute in fields(Policy)
        if attribute.name not in {"name", "digest"}
        and getattr(policy, attribute.name) != attribute.default
    ]
    return short_digest(differing)


def _check(policy: "Policy") -> None:
    """Refuse a field that is not as it is annotated, or a time that nothing could take."""
    check_fields(policy, _FIELDS)
    if not 0 <= policy.leeway <= MAX_LEEWAY:
        raise UsageError("config_invalid", about="leeway", found=policy.leeway, expected="0..120")
    for name in _LIFETIMES:
        seconds: int = getattr(policy, name)
        if seconds < 0:
            raise UsageError("config_invalid", about=name, found=seconds, expected="0 or more")
        if seconds >= _FOREVER:
            raise UsageError("config_invalid", about=name, found=seconds, expected="below 2**53")


def _written(value: object) -> str:
    """Write a field down, the same in every process."""
    if isinstance(value, frozenset):
        return " ".join(sorted(map(str, cast("frozenset[object]", value))))
    return str(value)


@frozen(kw_only=True)
class Policy:
    """Which tokens and answers are accepted.

    Attributes:
        name: is in the evidence.
        algorithms: the signature algorithms accepted where the client registered no algorithm;
            those of :data:`~oidc_core.jose.algorithms.OPTIONAL` only serve if they are named.
        leeway: tolerated difference of clocks in seconds, at most 120.
        login_lifetime: seconds between the start of a login and its callback.
        id_token_age: seconds since ``iat`` beyond which an ID token is too old.
        logout_token_age: seconds since ``iat`` beyond which a logout token is too old.
        key_set_max_age: seconds after which a key set is fetched again.
        assertion_lifetime: seconds for which a client assertion is valid.
        userinfo: whether UserInfo is asked for in a login, and whether the login depends on it.
        require_at_hash: whether an ID token from the token endpoint needs ``at_hash``.
        require_logout_typ: whether a logout token needs the ``typ`` ``logout+jwt``, which is only
            recommended (OIDC Back-Channel Logout §2.4).
        require_essential_claims: whether an essential claim that is absent ends the login; the
            provider may leave it out, and the evidence says so (OIDC Core §5.5.1).
        forbid_extra_scope: whether a granted scope beyond the one asked for is refused.
        require_verified_channel: whether an answer counts only if the transport says that it
            verified the server.
        addresses: where requests may go. ``named``: to public addresses, and to every address of an
            origin that the developer named, for example the issuer's or ``discovery_url``'s.
            :data:`~oidc_core.model.origins.PUBLIC_ONLY`: to public addresses, no matter who named
            the origin; for applications whose users type issuers in.
        named_origins: further origins that may resolve anywhere, as in
            ``https://keys.corp.example``.
        insecure_http_origins: origins that are spoken to without TLS, as in
            ``http://keycloak:8080``; at addresses that are not public only.
        back_channel: pairs of origins, or a mapping: what the library itself would send to the
            first goes to the second; the browser goes to the first.
        quirks: names out of :data:`QUIRKS`.
        resend_in_doubt: whether a refresh token is sent again whose last send has an unknown
            outcome: ``once``, ``never``, ``reusable`` or ``Grace(seconds)``; see
            :data:`~oidc_core.model.resends.ResendInDoubt`.
        revoke_at_logout: whether the tokens of a session are revoked when its user logs out, where
            the provider has an endpoint for that (RFC 7009).
        limits: the limits of sizes, for example ``Limits(id_token=262_144)``.
        digest: tells this policy from every other that accepts something else, under any name.
    """

    name: str = "default"
    algorithms: frozenset[str] = field(default=ASYMMETRIC, converter=text_set)
    leeway: int = 60
    login_lifetime: int = 600
    id_token_age: int = _DAY
    logout_token_age: int = 120
    key_set_max_age: int = 3_600
    assertion_lifetime: int = 60
    userinfo: UserInfoRule = "optional"
    require_at_hash: bool = False
    require_logout_typ: bool = False
    require_essential_claims: bool = False
    forbid_extra_scope: bool = False
    require_verified_channel: bool = False
    addresses: AddressRule = "named"
    named_origins: frozenset[str] = field(default=frozenset(), converter=frozen_named_origins)
    insecure_http_origins: frozenset[str] = field(
        default=frozenset(), converter=frozen_http_origins
    )
    back_channel: BackChannel = field(default=(), converter=frozen_back_channel)
    quirks: frozenset[str] = field(default=frozenset(), converter=text_set)
    resend_in_doubt: ResendInDoubt = field(default="once", converter=checked_resend)
    revoke_at_logout: bool = False
    limits: Limits = LIMITS
    digest: str = field(init=False, eq=False, default=Factory(_digest, takes_self=True))

    def __attrs_post_init__(self) -> None:
        odd = tuple(sorted(self.algorithms - ASYMMETRIC - OPTIONAL))
        if odd:
            raise UsageError("config_invalid", about="algorithms", found=odd)
        if not self.quirks <= QUIRKS.keys():
            odd = tuple(sorted(self.quirks - QUIRKS.keys()))
            raise UsageError("config_invalid", about="quirks", found=odd)
        if self.quirks >= {"omit_pkce", "nonce_not_echoed"}:
            raise UsageError("config_invalid", about="quirks", expected="PKCE or nonce")
        loopback = "insecure_allow_http_loopback" in self.quirks
        check_origins(self.origins, self.addresses, loopback=loopback)

    @property
    def origins(self) -> Origins:
        """The origins it names."""
        return Origins(self.named_origins, self.insecure_http_origins, self.back_channel)


_FIELDS: Final = fields_of(Policy)


class Terms(NamedTuple):
    """The policy as evidence names it, and the way of each answer.

    Attributes:
        policy, policy_digest: its name and digest.
        leeway: as in the policy.
        relaxations: the quirks in force, sorted; then what is named of origins.
        discovery: how the provider's metadata came, ``None`` if it was not discovered.
        metadata_notes: what of the metadata was malformed and counts as absent.
        channel: the channel of the answer that held it, ``None`` if it was in no answer.
    """

    policy: str
    policy_digest: str
    leeway: int
    relaxations: tuple[str, ...]
    discovery: Channel | None = None
    metadata_notes: tuple[str, ...] = ()
    channel: Channel | None = None


DEFAULT_POLICY: Final = Policy()
"""The default rules."""
