"""The file of the fake provider."""

from pathlib import Path

import pytest

from oidc_adapters.cli.fake_provider_file import read_provider_file
from oidc_adapters.testing import FakeProvider
from oidc_core.wire.errors import UsageError


def written(folder: Path, text: str) -> Path:
    file = folder / "op.toml"
    file.write_text(text)
    return file


def test_what_it_names_makes_a_provider(tmp_path: Path) -> None:
    text = """
    skew = 5
    offline_access = "with_consent"
    [[clients]]
    client_id = "shop"
    [[users]]
    sub = "carol"
    address = {country = "NL"}
    """

    told = read_provider_file(written(tmp_path, text), "made")

    assert [each.client_secret for each in told.clients] == ["made"]
    assert told.users[0].claims["address"] == {"country": "NL"}
    provider = FakeProvider(clients=told.clients, users=told.users, **told.settings)
    assert (provider.skew, provider.offline_access) == (5, "with_consent")


def test_a_table_has_the_ways_in_which_it_differs(tmp_path: Path) -> None:
    text = """
    [[clients]]
    client_id = "shop"
    [dialect]
    pkce = "ignored"
    without = ["id_token.nonce"]
    [dialect.userinfo]
    email_verified = "true"
    """

    told = read_provider_file(written(tmp_path, text), "made")

    dialect = FakeProvider(clients=told.clients, **told.settings).dialect
    assert (dialect.pkce, dialect.without) == ("ignored", ("id_token.nonce",))
    assert dialect.userinfo == {"email_verified": "true"}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "config"),
        ("[[clients]", "config"),
        ("skeww = 5\n[[clients]]", "config"),
        ("issuer = 'https://op.example'\n[[clients]]", "config"),
        ("clients = 7", "clients"),
        ("clients = [7]", "clients"),
        ("[[clients]]\nclientid = 'a'", "clients"),
        ("[[clients]]\nclient_id = 7", "client_id"),
        ("[[clients]]\n[[users]]\nsub = 7", "sub"),
        ("[[clients]]\n[[users]]\nname = 'a'", "sub"),
        ("[[clients]]\n[[users]]\nsub = 'a'\n[[users]]\nsub = 'a'", "sub"),
        ("[[clients]]\n[[users]]\nsub = 'a'\nborn = 1979-05-27", "users"),
        ("[[clients]]\n[[users]]\nsub = 'a'\naddress = {size = nan}", "users"),
        ("[[clients]]\n[[clients]]", "client_id"),
        ("[[clients]]\nclient_id = ''", "client_id"),
        ("[[clients]]\ntoken_endpoint_auth_method = 'basic'", "token_endpoint_auth_method"),
    ],
)
def test_what_is_wrong_in_it_is_named(tmp_path: Path, text: str, about: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_provider_file(written(tmp_path, text), "made")

    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


def test_a_misspelt_name_is_near(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_provider_file(written(tmp_path, "[[clients]]\nredirect_uri = 'a'"), "made")

    assert "redirect_uris" in str(refused.value.expected)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_provider_file(tmp_path / "none.toml", "made")

    assert refused.value.about == "config"
