"""A fake provider for the example, so that it runs with nothing else."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from examples.webapp.configuration import SCOPES, Configuration

from oidc_adapters import SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, serve

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def fake_provider(origin: str) -> Generator[Configuration]:
    """Serve a provider on a free port of this machine; yield the settings of an application there.

    Args:
        origin: where the application is, as in ``http://localhost:8000``.
    """
    client = FakeClient(
        client_id="example-application",
        client_secret=secrets.token_urlsafe(48),
        redirect_uris=(f"{origin}/callback",),
        post_logout_redirect_uris=(f"{origin}/after-logout",),
    )
    provider = FakeProvider(clients=(client,), seed=secrets.randbits(64))
    with serve(provider, SystemClock(), interactive=True) as served:
        yield Configuration(
            issuer=served.issuer,
            client_id=client.client_id,
            client_secret=client.client_secret,
            scopes=(*SCOPES, "offline_access"),
            redirect_uri=client.redirect_uris[0],
            post_logout_redirect_uri=client.post_logout_redirect_uris[0],
            fake=True,
        )
