"""The code flow with OidcClient, in a framework that this library has no door for."""

import os
from typing import Any

import requests

from oidc_adapters import (
    ClientSetup,
    CookiePendingLogins,
    Grants,
    Incoming,
    OidcClient,
    SqliteRecords,
)

REDIRECT_URI = "http://localhost/callback"
SECRET = os.environ["SECRET_KEY"]
setup = ClientSetup(
    issuer=os.environ["ISSUER"],
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    redirect_uri=REDIRECT_URI,
    scope="openid profile email offline_access",
).on_loopback()  # in development: without it, https only
client = OidcClient(
    setup,
    CookiePendingLogins(SECRET),
    grants=Grants(SqliteRecords(f"{os.environ['DATA']}/oidc.db"), SECRET),
)


def start(cookies: dict[str, str]) -> str:
    redirect = client.start_login()
    cookies |= {cookie.name: cookie.value for cookie in redirect.cookies}
    return redirect.url


def finish(session: dict[str, Any], query: str, cookie: str) -> None:
    came_back = Incoming(method="GET", url=REDIRECT_URI, query=query, cookie=cookie)
    result = client.finish_login(came_back)
    session["user"], session["grant"] = result.logged_in.identity.subject, result.grant_id


def report(session: dict[str, Any]) -> Any:
    tokens = client.tokens(session["grant"]).fresh()
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    return requests.get(f"{os.environ['API']}userinfo", headers=bearer, timeout=10).json()
