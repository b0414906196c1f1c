"""The examination of one provider."""

from oidc_adapters.cli.diagnosing.examination import examine
from oidc_core.wire.jsontypes import frozen_json
from tests.signing import signing_key

from .shells import ISSUER, Places, places, shell_at

KEY = frozen_json(signing_key().public_jwk())


def test_a_good_provider_is_sound() -> None:
    found = examine(shell_at(places(keys=(KEY,))), ISSUER, client_id="shop")

    assert (found.sound, found.examined) == (True, ISSUER)
    assert found.configuration is not None
    assert ("client_id", '"shop"') in found.configuration.arguments
    assert [each.name for each in found.verdicts][:3] == ["issuer", "tls", "clock"]


def test_without_metadata_there_is_nothing_more_to_say() -> None:
    found = examine(shell_at(Places({})), ISSUER)

    assert (found.sound, found.examined, found.configuration) == (False, "", None)
    assert [each.name for each in found.verdicts] == ["issuer"]


def test_a_provider_that_suits_nobody_has_its_keys_judged_all_the_same() -> None:
    transport = places(keys=(KEY,), id_token_signing_alg_values_supported=("HS256",))

    found = examine(shell_at(transport), ISSUER)

    assert {each.name for each in found.verdicts if each.outcome == "failed"} == {"algorithms"}
    assert "keys" in {each.name for each in found.verdicts}
