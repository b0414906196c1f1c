"""Evidence: what was checked before something was accepted.

An acceptance without evidence is a claim.  An :class:`Evidence` names the very table of rules that
ran: the validator runs through that table, so a rule that is taken out is gone from the evidence.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, Never, TypeAlias, TypeVar

from attrs import field, frozen

from oidc_core.jsontypes import JsonObject
from oidc_core.jwk import Jwk

SkipReason: TypeAlias = str


S_contra = TypeVar("S_contra", contravariant=True)


class Rule(NamedTuple, Generic[S_contra]):
    """One rule: its name, the sentence it enforces, what it says, and the check itself.

    The check raises, or returns ``None`` when the rule held, or a reason when it did not apply.
    """

    name: str
    spec: str
    says: str
    check: Callable[[S_contra], SkipReason | None]


class Check(NamedTuple):
    """One line of evidence: ``verdict`` is ``passed`` or ``skipped``, the latter with a reason."""

    name: str
    spec: str
    says: str
    verdict: str
    reason: str


@frozen(kw_only=True)
class Evidence:
    """What was checked, with which key, when, and what was left out.

    Attributes:
        subject: what was accepted, as in ``id_token``.
        rules: the table of rules that ran.
        skipped: name and reason of each rule that did not apply.
        notes: what was met and deliberately ignored or clamped.
        relaxations: the quirks in force.
        policy: the name of the policy.
        checked_at: seconds since the epoch.
        leeway: tolerated difference of clocks in seconds.
        alg: the signature algorithm, or an empty string without a signature.
        kid: the key's identifier, if it has one.
        key: the key, for its thumbprint.
        keys_fetched_at: when the key set was fetched, if one was.
    """

    subject: str
    rules: tuple[Rule[Never], ...] = field(repr=False)
    skipped: tuple[tuple[str, SkipReason], ...] = ()
    notes: tuple[str, ...] = ()
    relaxations: tuple[str, ...] = ()
    policy: str
    checked_at: int
    leeway: int
    alg: str = ""
    kid: str | None = None
    key: Jwk | None = field(default=None, repr=False)
    keys_fetched_at: int | None = None

    @property
    def key_thumbprint(self) -> str:
        """The RFC 7638 thumbprint of the key, or an empty string."""
        return "" if self.key is None else self.key.thumbprint

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every rule of the table with its verdict, in the order in which they ran."""
        skipped = dict(self.skipped)
        return tuple(
            [
                Check(
                    name,
                    spec,
                    says,
                    "skipped" if name in skipped else "passed",
                    skipped.get(name, ""),
                )
                for name, spec, says, _ in self.rules
            ]
        )


def evidence_json(evidence: Evidence) -> JsonObject:
    """Return evidence as JSON, for logs and audits; it holds no secret."""
    return JsonObject(
        {
            "subject": evidence.subject,
            "policy": evidence.policy,
            "checked_at": evidence.checked_at,
            "leeway": evidence.leeway,
            "alg": evidence.alg,
            "kid": evidence.kid,
            "key_thumbprint": evidence.key_thumbprint,
            "keys_fetched_at": evidence.keys_fetched_at,
            "relaxations": evidence.relaxations,
            "notes": evidence.notes,
            "checks": tuple([JsonObject(check._asdict()) for check in evidence.checks]),
        }
    )
