"""The provider's keys."""

from attrs import evolve

from oidc_adapters.cli.diagnosing.keys import key_verdicts
from oidc_adapters.cli.stand_in import stand_in
from oidc_adapters.cli.verdicts import Verdict
from oidc_core.model.provider import metadata_of
from oidc_core.wire.jsontypes import JsonValue, frozen_json
from tests.signing import signing_key

from .shells import ISSUER, METADATA, NOTHING, places, shell_at

KEY = frozen_json(signing_key().public_jwk())
OTHER = frozen_json(signing_key(slot="other").public_jwk())
RSA = frozen_json(signing_key("RS256", kid="r").public_jwk())


def verdicts(*keys: JsonValue, **members: JsonValue) -> list[Verdict]:
    metadata = metadata_of({**METADATA, **members})
    rp = evolve(stand_in(issuer=ISSUER), provider=metadata)
    return key_verdicts(shell_at(places(keys=keys)), rp)


def outcomes(found: list[Verdict]) -> list[tuple[str, str, str]]:
    return [(each.name, each.outcome, each.code.partition(" ")[0]) for each in found]


def test_a_good_key_serves() -> None:
    found = verdicts(KEY, RSA)

    assert outcomes(found) == [("keys", "passed", ""), ("key", "passed", "")]
    assert found[0].found == f"2 at {ISSUER}/jwks"
    assert found[1].found == ("ES256: 1",)


def test_a_set_without_a_fitting_key_serves_nobody() -> None:
    assert outcomes(verdicts(RSA))[1] == ("key", "failed", "key_not_found")


def test_two_keys_of_one_name_clash() -> None:
    assert ("kid", "failed", "kid_duplicated") in outcomes(verdicts(KEY, OTHER))


def test_a_key_that_is_not_used_is_named() -> None:
    found = verdicts(KEY, frozen_json({"kty": "EC", "kid": "bad"}))

    assert outcomes(found)[-1] == ("key", "warned", "jwk_invalid")
    assert "bad" in found[-1].says


def test_metadata_without_keys_is_told() -> None:
    assert outcomes(verdicts(jwks_uri=None)) == [("keys", "failed", "unsupported_by_provider")]


def test_keys_that_cannot_be_fetched_are_told_with_the_cause() -> None:
    transport = places()
    transport.answers[f"{ISSUER}/jwks"] = NOTHING
    rp = evolve(stand_in(issuer=ISSUER), provider=metadata_of(METADATA))

    (found,) = key_verdicts(shell_at(transport), rp)

    assert (found.code, found.cause) == ("keys_unavailable", "http_status_unexpected")
    assert (found.found, found.expected) == (404, 200)
    assert "jwks_uri" in found.hint
