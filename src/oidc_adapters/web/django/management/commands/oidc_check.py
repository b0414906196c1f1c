"""``manage.py oidc_check``: read what the provider publishes, and say what was found."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oidc_adapters.web.django.door import Door
from oidc_core.wire.errors import OidcError


class Command(BaseCommand):
    """Asks the provider for its metadata and prints the part that a login needs."""

    help = "Read what the OpenID provider publishes, and say what was found."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found.

        Raises:
            CommandError: a setting is wrong, or the provider cannot be reached or believed.
        """
        del args, options
        try:
            clients = Door.of_settings().web.clients
            for client in clients:
                client.start_login()  # it reads the metadata, and no browser goes there
        except OidcError as error:
            raise CommandError(str(error)) from error
        for client in clients:
            rp = client.rp
            facts: tuple[tuple[str, object], ...] = (
                ("issuer", rp.provider.issuer),
                ("client_id", rp.client.client_id),
                ("redirect_uri", ", ".join(rp.client.redirect_uris)),
                ("authorization_endpoint", rp.provider.authorization_endpoint),
                ("token_endpoint", rp.provider.token_endpoint),
                ("end_session_endpoint", rp.provider.end_session_endpoint or "none"),
                ("back-channel logout", _said(rp.provider.backchannel_logout_supported)),
                ("PKCE with S256", _said("S256" in rp.provider.code_challenge_methods_supported)),
            )
            for name, value in facts:
                self.stdout.write(f"{name:24}{value}")


def _said(supported: object) -> str:
    return "yes" if supported else "not published"
