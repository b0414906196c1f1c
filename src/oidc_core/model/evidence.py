"""Evidence: what was checked before something was accepted.

An acceptance without evidence is a claim. An :class:`Evidence` names exactly the table of rules
that ran: the validator runs through that table, so a rule that is taken out is gone from the
evidence.
"""

from collections.abc import Callable, Collection
from itertools import repeat
from operator import call
from typing import Final, Generic, NamedTuple, Never, TypeAlias, TypeVar, cast

from attrs import Factory, field, frozen

from oidc_core.jose.jwk import Jwk, SkippedKey
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.key_set import KeySet
from oidc_core.model.claim_values import VERIFIED_AS_TEXT, verified_as_text, with_booleans
from oidc_core.model.claims import malformed
from oidc_core.model.policy import Terms
from oidc_core.wire.facts import shown_names
from oidc_core.wire.jsontypes import JsonObject, parse_object
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.way import Channel

SkipReason: TypeAlias = str


S_contra = TypeVar("S_contra", contravariant=True)


class Rule(NamedTuple, Generic[S_contra]):
    """One rule: its name, the sentence it enforces, what it says, and the check itself.

    The check raises, or returns ``None`` when the rule was fulfilled, or a reason when it did not
    apply.
    """

    name: str
    spec: str
    says: str
    check: Callable[[S_contra], SkipReason | None]


_apply: Final = cast(
    "Callable[[Callable[[Never], SkipReason | None], object], SkipReason | None]", call
)


def _checks_of(
    table: "RuleTable[S_contra]",
) -> tuple[Callable[[S_contra], SkipReason | None], ...]:
    return tuple([rule.check for rule in table.rules])


@frozen
class RuleTable(Generic[S_contra]):
    """The rules for one kind of thing, in the order in which they run.

    Attributes:
        of: their subject, as in ``id_token``.
        rules: the rows.
        optional: claims that are typed when they are read and that no rule reads unless it was
            demanded: one of a wrong type counts as absent, and the evidence has a note of it.
    """

    of: str
    rules: tuple[Rule[S_contra], ...] = field(repr=False)
    optional: tuple[str, ...] = field(default=(), repr=False)
    _checks: tuple[Callable[[S_contra], SkipReason | None], ...] = field(
        init=False, repr=False, eq=False, default=Factory(_checks_of, takes_self=True)
    )

    def outcomes(self, examined: S_contra) -> tuple[SkipReason | None, ...]:
        """Run every rule; return for each why it was skipped, or ``None``.

        Raises:
            OidcError: that of the first rule that does not hold.
        """
        return tuple(map(_apply, self._checks, repeat(examined)))


class Check(NamedTuple):
    """One line of evidence: ``verdict`` is ``passed`` or ``skipped``, the latter with a reason."""

    name: str
    spec: str
    says: str
    verdict: str
    reason: str


@frozen(kw_only=True)
class Evidence:
    """The checks, their key, their time, and the rules that were left out.

    Attributes:
        table: the rules that ran.
        outcomes: for each rule why it was skipped, or ``None`` if it was fulfilled.
        remarks: further notes about it.
        terms: the terms in force.
        checked_at: seconds since the epoch.
        jws: the signed token, ``None`` without a token.
    """

    table: RuleTable[Never]
    outcomes: tuple[SkipReason | None, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()
    terms: Terms
    checked_at: int
    jws: VerifiedJws | None = field(default=None, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Oddities that were seen and ignored, and how the token was encrypted, if at all."""
        jws = self.jws
        if jws is None:
            return self.remarks
        members = UPPER_BOUNDS.members
        claims = parse_object(jws.payload, members=members, tolerant=True)
        odd = odd_claims(claims, self.table.optional, self.terms.relaxations)
        how = decryption_notes(jws.encryption)
        key = () if jws.key is None else _key_notes(jws.key)
        return (*self.remarks, *jws.header.ignored, *how, *key, *odd)

    @property
    def header(self) -> JoseHeader | None:
        """The header of the signed token, or ``None`` if it was not signed."""
        return None if self.jws is None else self.jws.header

    @property
    def key(self) -> Jwk | None:
        """The provider's key it was signed with, ``None`` for a MAC."""
        return None if self.jws is None else self.jws.key

    @property
    def keys_fetched_at(self) -> int | None:
        """When the key set was fetched, or ``None``."""
        return None if self.jws is None else self.jws.keys_fetched_at

    @property
    def keys(self) -> KeySet | None:
        """The provider's key set, for the keys of it that are not used."""
        return None if self.jws is None else self.jws.keys

    @property
    def of(self) -> str:
        """The accepted thing, as in ``id_token``."""
        return self.table.of

    @property
    def alg(self) -> str:
        """The signature algorithm, or an empty string without a signature."""
        return "" if self.header is None else self.header.alg

    @property
    def kid(self) -> str | None:
        """The key's identifier, if the token names one."""
        return None if self.header is None else self.header.kid

    @property
    def key_thumbprint(self) -> str:
        """The RFC 7638 thumbprint of the key, or an empty string."""
        return "" if self.key is None else self.key.thumbprint

    @property
    def skipped_keys(self) -> tuple[SkippedKey, ...]:
        """The keys of the provider's set that are not used, each with the code of its fault."""
        return () if self.keys is None else self.keys.skipped

    @property
    def channels(self) -> tuple[tuple[str, Channel], ...]:
        """The channel of each answer that it rests on, by the content of the answer.

        That is the provider's metadata, what was accepted itself, and the key set, as far as they
        were in an answer.
        """
        terms, keys = self.terms, self.keys
        told = (
            ("metadata", terms.discovery),
            (self.of, terms.channel),
            ("key_set", None if keys is None else keys.channel),
        )
        return tuple([(brought, channel) for brought, channel in told if channel is not None])

    @property
    def relaxations(self) -> tuple[str, ...]:
        """The quirks in force, and the origins that the policy names."""
        return self.terms.relaxations

    @property
    def metadata_notes(self) -> tuple[str, ...]:
        """The malformed members of the provider's metadata that count as absent."""
        return self.terms.metadata_notes

    @property
    def skipped(self) -> tuple[tuple[str, SkipReason], ...]:
        """Name and reason of each rule that did not apply."""
        return tuple([(c.name, c.reason) for c in self.checks if c.verdict == "skipped"])

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every rule of the table with its verdict, in the order in which they ran."""
        return tuple(
            [
                Check(name, spec, says, "passed" if why is None else "skipped", why or "")
                for (name, spec, says, _), why in zip(self.table.rules, self.outcomes, strict=True)
            ]
        )


def decryption_notes(encryption: Encryption | None) -> tuple[str, ...]:
    """Return the note that something was encrypted, and how."""
    return () if encryption is None else (f"decrypted: {encryption.alg} {encryption.enc}",)


def _key_notes(key: Jwk) -> tuple[str, ...]:
    """Return the note that a key was taken though it is oddly encoded."""
    return () if key.odd is None else (f"quirk lenient_key_encoding: {key.odd.about}",)


def odd_claims(
    claims: JsonObject, names: tuple[str, ...], quirks: Collection[str]
) -> tuple[str, ...]:
    """Return the notes of claims that were malformed, and of those that a quirk lets count.

    ``names``: the claims that are typed when they are read.
    """
    read: tuple[str, ...] = ()
    if VERIFIED_AS_TEXT in quirks:
        read, claims = verified_as_text(claims), with_booleans(claims)
    absent = malformed(claims, names)
    told = (("quirk verified_as_text", read), ("malformed, taken as absent", absent))
    return tuple([f"{what}: {' '.join(shown_names(found))}" for what, found in told if found])


def evidence_json(evidence: Evidence) -> JsonObject:
    """Return evidence as JSON, for logs and audits; it holds no secret."""
    return JsonObject(
        {
            "of": evidence.of,
            "policy": evidence.terms.policy,
            "policy_digest": evidence.terms.policy_digest,
            "checked_at": evidence.checked_at,
            "leeway": evidence.terms.leeway,
            "alg": evidence.alg,
            "kid": evidence.kid,
            "key_thumbprint": evidence.key_thumbprint,
            "keys_fetched_at": evidence.keys_fetched_at,
            "skipped_keys": tuple([JsonObject(key._asdict()) for key in evidence.skipped_keys]),
            "channels": JsonObject(
                {brought: JsonObject(channel._asdict()) for brought, channel in evidence.channels}
            ),
            "relaxations": evidence.relaxations,
            "notes": evidence.notes,
            "metadata_notes": evidence.metadata_notes,
            "checks": tuple([JsonObject(check._asdict()) for check in evidence.checks]),
        }
    )
