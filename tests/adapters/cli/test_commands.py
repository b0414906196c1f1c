"""The commands as values."""

from oidc_adapters.cli.commands import Explain, FakeProviderCommand, RealProvider


def test_no_secret_is_shown() -> None:
    provider = RealProvider(issuer="i", client_id="c", client_secret="hidden")
    told = Explain(subject="hidden", nonce="hidden")

    assert "hidden" not in repr((provider, told, FakeProviderCommand(client_secret="hidden")))
