"""The provider's keys: whether they can be fetched, and what a login can do with them."""

from typing import Final

from oidc_adapters.cli.verdicts import Verdict, failure
from oidc_adapters.clients.shell import Shell
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.steps import KeysFound, KeysWithheld
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, ProtocolViolation

_FETCHED: Final = "its keys can be fetched"
_USABLE: Final = "a key can verify its ID tokens"
_SPEC: Final = "OIDC Core §10.1"


def key_verdicts(shell: Shell, rp: RelyingParty) -> list[Verdict]:
    """Fetch the key set, and judge each key that a login may meet."""
    wanted = rp.keys_wanted.get("solicited")
    if wanted is None:
        return [_no_address()]
    try:
        answer = shell.keys(wanted)
    except OidcError as refusal:
        return [failure("keys", _FETCHED, refusal, spec=_SPEC)]
    if isinstance(answer, KeysWithheld):
        return [_withheld(answer)]
    return [
        Verdict(
            name="keys",
            says=_FETCHED,
            outcome="passed",
            spec=_SPEC,
            found=f"{len(answer.key_set.published)} at {wanted.jwks_uri}",
        ),
        *_judged(answer, rp),
    ]


def _no_address() -> Verdict:
    return Verdict(
        name="keys",
        says=_FETCHED,
        outcome="failed",
        spec=_SPEC,
        code="unsupported_by_provider (jwks_uri)",
        hint="the metadata names no jwks_uri: only ID tokens with a MAC could be verified",
    )


def _withheld(answer: KeysWithheld) -> Verdict:
    """Say why the fetch failed, which the error of a login says in its cause."""
    fault, error = answer.fault, answer.error
    return Verdict(
        name="keys",
        says=_FETCHED,
        outcome="failed",
        spec=_SPEC,
        code=error.code,
        found=None if fault is None else fault.found,
        expected=None if fault is None else fault.expected,
        cause=error.cause if fault is None else fault.cause or fault.code,
        hint=error.hint if fault is None else fault.hint,
    )


def _judged(answer: KeysFound, rp: RelyingParty) -> list[Verdict]:
    keys, algorithms = answer.key_set, sorted(rp.protection["id_token"].algorithms)
    fitting = {alg: [key for key in keys.keys if _fits(key, alg)] for alg in algorithms}
    served = [f"{alg}: {len(found)}" for alg, found in fitting.items() if found]
    verdicts = [_usable(served, keys, algorithms)]
    verdicts += _clashes(keys, algorithms)
    for skipped in keys.skipped:
        verdicts.append(
            Verdict(
                name="key",
                says=f"the key {skipped.kid or 'without a name'} is sound",
                outcome="warned",
                spec="RFC 7517 §4",
                code=skipped.code,
                hint=skipped.reason or "the library does not use it",
            )
        )
    return verdicts


def _usable(served: list[str], keys: KeySet, algorithms: list[str]) -> Verdict:
    if served:
        return Verdict(name="key", says=_USABLE, outcome="passed", spec=_SPEC, found=tuple(served))
    refusal = keys.not_found(expected=" ".join(algorithms))
    return failure("key", _USABLE, refusal, spec=_SPEC)


def _clashes(keys: KeySet, algorithms: list[str]) -> list[Verdict]:
    """Find the names that different keys share: a token that names one is refused."""
    refusals: dict[str, ProtocolViolation] = {}
    for alg in algorithms:
        for kid in [key.kid for key in keys.keys if key.kid is not None and _fits(key, alg)]:
            try:
                keys.select(kid, alg)
            except ProtocolViolation as refusal:
                refusals[kid] = refusal
    says = "no two keys share a name"
    return [failure("kid", says, refusal) for refusal in refusals.values()]


def _fits(key: Jwk, alg: str) -> bool:
    return key.verifies and key.fits(alg)
