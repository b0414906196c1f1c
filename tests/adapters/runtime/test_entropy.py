import re

import pytest

from oidc_adapters.runtime import entropy
from oidc_adapters.runtime.entropy import Entropy, FixedEntropy, SystemEntropy
from oidc_core.model.pending import LoginSecrets
from oidc_core.wire.encoding import b64url_decode

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def each(secrets: LoginSecrets) -> tuple[str, str, str, str]:
    return (secrets.state, secrets.nonce, secrets.code_verifier, secrets.binding)


@pytest.mark.parametrize("source", [SystemEntropy(), FixedEntropy(7)])
def test_secrets_have_256_bits_and_none_comes_twice(source: Entropy) -> None:
    drawn = [
        secret for _ in range(50) for secret in (*each(source.login_secrets()), source.token())
    ]
    assert all(SECRET.fullmatch(secret) for secret in drawn)
    assert {len(b64url_decode(secret.encode())) for secret in drawn} == {32}
    assert len(set(drawn)) == len(drawn)


def test_a_login_asks_the_operating_system_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(octets: int) -> bytes:
        asked.append(octets)
        return bytes(range(octets))

    monkeypatch.setattr(entropy, "urandom", counted)
    secrets = SystemEntropy().login_secrets()
    assert asked == [128]
    assert len(set(each(secrets))) == 4


def test_a_seed_fixes_the_sequence() -> None:
    one, same, other = FixedEntropy(1), FixedEntropy(1), FixedEntropy(2)
    assert each(one.login_secrets()) == each(same.login_secrets())
    token = one.token()
    assert token == same.token()
    assert token != other.token()
