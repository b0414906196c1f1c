"""The code flow with AsyncOidcClient, in a framework that this library has no door for."""

import os
from typing import Any

import httpx

from oidc_adapters import (
    AsyncOidcClient,
    ClientSetup,
    CookiePendingLogins,
    Grants,
    Incoming,
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
client = AsyncOidcClient(
    setup,
    CookiePendingLogins(SECRET),
    grants=Grants(SqliteRecords(f"{os.environ['DATA']}/oidc.db"), SECRET),
)


async def start(cookies: dict[str, str]) -> str:
    redirect = await client.start_login()
    cookies |= {cookie.name: cookie.value for cookie in redirect.cookies}
    return redirect.url


async def finish(session: dict[str, Any], query: str, cookie: str) -> None:
    came_back = Incoming(method="GET", url=REDIRECT_URI, query=query, cookie=cookie)
    result = await client.finish_login(came_back)
    session["user"], session["grant"] = result.logged_in.identity.subject, result.grant_id


async def report(session: dict[str, Any]) -> Any:
    tokens = await client.tokens(session["grant"]).fresh()
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{os.environ['API']}userinfo", headers=bearer)).json()
