"""An application of an own framework with two providers, one of which may be hostile."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.connections import Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, RecordSpent
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing.applications import ApplicationMachine, PageContent, PageForm, Routes
from oidc_adapters.web import RecordSessions, WebLogin, WebRequest, WebSession, WebSetup
from oidc_core.wire.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.testing.applications import World


def create_app(world: World) -> Callable[..., list[bytes]]:
    """Return a plain WSGI application."""
    sessions = RecordSessions(world.records, world.secret)
    made: list[OidcClient] = []
    for place, provider in enumerate(world.providers):
        client = provider.clients[0]
        setup = ClientSetup(
            issuer=provider.issuer,
            client_id=client.client_id,
            client_secret=client.client_secret,
            redirect_uri=world.redirect_uri(place),
        )
        made.append(
            OidcClient(
                setup,
                CookiePendingLogins(world.secret, spent=RecordSpent(world.records)),
                transport=world.transport,
                clock=world.clock,
                entropy=world.entropy,
                grants=Grants(world.records, world.secret),
                sessions=SessionIndex(world.records, world.secret, end_session=sessions.end),
            )
        )
    web = WebLogin(Connections(*made), sessions, WebSetup())
    routes = web.routes()

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        request = WebRequest.of_wsgi(environ, environ["wsgi.input"].read())
        route = routes.get(environ["PATH_INFO"])
        if route is not None:
            reply = route(request)
        else:
            found = web.required(request)
            reply = told(found) if isinstance(found, WebSession) else found
        start(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers))
        return [reply.body]

    return application


def told(session: WebSession) -> Reply:
    """Return who is signed in."""
    who = [session.identity.issuer, session.identity.subject]
    return Reply(status=200, body=json.dumps(who).encode())


class TwoProviders(ApplicationMachine):
    """Fuzzes it: each login goes to the second provider first, which may mix logins up."""

    routes: ClassVar[Routes] = Routes(after_logout="")
    connections: ClassVar[int] = 2

    def application(self, world: World) -> Callable[..., list[bytes]]:
        return create_app(world)

    def login_form(self, content: PageContent) -> PageForm | None:
        forms = [form for form in content.forms if form.action.endswith("/login")]
        return forms[len(self.book.visits) % len(forms)] if forms else None
