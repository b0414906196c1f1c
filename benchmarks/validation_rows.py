"""The cost to take, or to refuse, an ID token."""

from typing import Final

from benchmarks.count import counted
from benchmarks.parties import DEMANDS, found, relying_party, shell_of, validation
from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, count_rows, ratio_row, value_row
from benchmarks.tokens import NOW, floor_of, signed_token
from oidc_adapters.testing.signing import SigningKey
from oidc_adapters.testing.signing_keys import private_key
from oidc_core.machine.steps import NeedKeys, resume
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import OidcError

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "HS256")
_KEYS: Final = 64
_MEGABYTE: Final = 1_000_000


def validate_rows(effort: Effort) -> tuple[Row, ...]:
    """Validation over the floor, by algorithm; then RS256 counted."""
    rows: list[Row] = []
    for alg in ALGORITHMS:
        token = signed_token(alg)
        samples = interleaved({"ours": validation(token), "floor": floor_of(token)}, effort)
        name = f"validate_{alg.lower()}"
        rows.append(ratio_row(name, samples.cost("ours"), samples.ratio("ours", "floor")))
    count = counted(validation(signed_token("RS256")))
    return (
        *rows,
        *count_rows(count, bytecodes="validate_rs256_bytecodes", calls="validate_rs256_calls"),
    )


def key_set_row(effort: Effort) -> Row:
    """A token whose key is one of 64, against one whose key is alone."""
    token = signed_token("RS256")
    others = [
        token._replace(
            key=SigningKey(alg="ES256", kid=f"other-{at}", private=private_key("ES256", f"{at}"))
        )
        for at in range(_KEYS - 1)
    ]
    many = validation(token, found(token, *others))
    samples = interleaved({"many": many, "one": validation(token)}, effort)
    return ratio_row("keyset_64_vs_1", samples.cost("many"), samples.ratio("many", "one"))


def refusal_rows(effort: Effort) -> tuple[Row, ...]:
    """The work that strangers can cause: an unknown ``kid``, a token that is far too long."""
    calls = {"unknown_kid_us": unknown_kid(), "oversize_refusal_us": oversize()}
    samples = interleaved(calls, effort)
    return tuple([value_row(name, samples.cost(name), "µs") for name in calls])


def unknown_kid() -> Call:
    """Refuse a good token of an unknown key, which a fresh set lacked a moment ago: no fetch."""
    rp, token, other = relying_party("ES256"), signed_token("ES256"), signed_token("RS256")
    shell = shell_of(rp, {"jwks": {"keys": [other.key.public_jwk()]}})
    return _refused(
        lambda: shell.run(rp, validate(rp, token.text, DEMANDS, now=NOW)), "key_not_found"
    )


def oversize() -> Call:
    """Refuse a megabyte of dots."""
    rp, keys = relying_party("RS256"), found(signed_token("RS256"))
    dots = "." * _MEGABYTE

    def validated() -> object:
        step = validate(rp, dots, DEMANDS, now=NOW)
        return resume(rp, step, keys) if isinstance(step, NeedKeys) else step

    return _refused(validated, "token_too_large")


def _refused(call: Call, code: str) -> Call:
    """Return the call as one that must be refused, and makes sure of it once."""

    def refused() -> str:
        try:
            call()
        except OidcError as refusal:
            return refusal.code
        return ""

    found_out = refused()
    if found_out != code:
        message = f"refused with {found_out!r}, not {code!r}"
        raise ValueError(message)
    return refused
