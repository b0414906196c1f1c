"""The settings of a client at a provider, as lines of Python that make a ``ClientSetup``."""

from typing import Final

from attrs import field, frozen

from oidc_adapters.cli.diagnosing.finding import Found
from oidc_core.model.client import ClientRegistration
from oidc_core.model.supported import auth_method_of
from oidc_core.wire.errors import UsageError

_SCOPES: Final = ("openid", "profile", "email")


@frozen(kw_only=True)
class Configuration:
    """The settings of a client.

    Attributes:
        arguments: those of ``ClientSetup``, each as its source text.
        development: whether the client is for development on this machine.
        remarks: notes about them.
    """

    arguments: tuple[tuple[str, str], ...]
    development: bool = False
    remarks: tuple[str, ...] = field(default=())

    @property
    def source(self) -> str:
        """The lines, to be copied."""
        lines = [f"    {name}={text}," for name, text in self.arguments]
        called = ").on_loopback()" if self.development else ")"
        return "\n".join(["setup = ClientSetup(", *lines, called])


def configuration_for(
    found: Found, *, client_id: str = "", redirect_uri: str = ""
) -> Configuration:
    """Return the settings that a client at this provider needs.

    Args:
        found: the provider.
        client_id: the client, if it is known already.
        redirect_uri: its redirect URI.
    """
    development = found.issuer.startswith("http://")
    local = "http://127.0.0.1:8000/callback"
    place = redirect_uri or (local if development else "https://app.example/callback")
    arguments = [
        ("issuer", repr(found.issuer)),
        ("client_id", repr(client_id or "CLIENT_ID")),
        *_credentials(found),
        ("redirect_uri", repr(place)),
        ("scope", repr(_scope(found))),
    ]
    if found.discovery_url is not None:
        arguments.append(("discovery_url", repr(found.discovery_url)))
    return Configuration(
        arguments=tuple([(name, _quoted(text)) for name, text in arguments]),
        development=development,
        remarks=_remarks(found),
    )


def _credentials(found: Found) -> list[tuple[str, str]]:
    listed = found.metadata.token_endpoint_auth_methods_supported
    secret = ("client_secret", 'os.environ["CLIENT_SECRET"]')
    try:
        auth_method_of(
            found.metadata, ClientRegistration(client_id="-", token_endpoint_auth_method=None), None
        )
    except UsageError:
        if "client_secret_jwt" in listed:
            return [secret, ("token_endpoint_auth_method", "'client_secret_jwt'")]
        if "private_key_jwt" in listed:
            return [("client_keys", "ClientKeys(key)")]
        if "none" in listed:
            return [("token_endpoint_auth_method", "'none'")]
    return [secret]


def _scope(found: Found) -> str:
    known = found.metadata.scopes_supported
    return " ".join([name for name in _SCOPES if name == "openid" or not known or name in known])


def _remarks(found: Found) -> tuple[str, ...]:
    metadata = found.metadata
    told = [
        (
            "offline_access" in metadata.scopes_supported,
            "to refresh tokens, add offline_access to scope",
        ),
        (
            metadata.end_session_endpoint is not None,
            "to end the provider's session too, register and set post_logout_redirect_uri",
        ),
        (
            not metadata.authorization_response_iss_parameter_supported,
            "with further providers, give each a redirect_uri with a separate path",
        ),
    ]
    return tuple([text for holds, text in told if holds])


def _quoted(text: str) -> str:
    """Return a literal with double quotes, as the house writes them."""
    plain = text[1:-1]
    return f'"{plain}"' if text[:1] == "'" and '"' not in plain else text
