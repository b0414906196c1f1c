"""The code flow with Authlib's AsyncOAuth2Client, in a framework without an integration."""

import os
from urllib.parse import parse_qsl

import httpx
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

REDIRECT_URI = "http://localhost/callback"


async def fetched(url):
    async with httpx.AsyncClient() as http:
        return (await http.get(url)).json()


async def client(**more):
    metadata = await fetched(f"{os.environ['ISSUER']}/.well-known/openid-configuration")
    return AsyncOAuth2Client(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        scope="openid profile email offline_access",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        **metadata,
        **more,
    )


async def start(session):
    verifier, nonce = generate_token(48), generate_token(20)
    async with await client() as oauth:
        url, state = oauth.create_authorization_url(
            oauth.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
    session["login"] = {"state": state, "verifier": verifier, "nonce": nonce}
    return url


async def finish(session, query):
    answer = dict(parse_qsl(query))
    if "error" in answer:
        raise OAuthError(answer["error"], answer.get("error_description"))
    held = session.pop("login")
    async with await client(state=held["state"]) as oauth:
        token = await oauth.fetch_token(
            authorization_response=f"{REDIRECT_URI}?{query}", code_verifier=held["verifier"]
        )
        keys = KeySet.import_key_set(await fetched(oauth.metadata["jwks_uri"]))
        issuer = {"iss": {"values": [oauth.metadata["issuer"]]}}
    read = jwt.decode(token["id_token"], keys)
    known = {"nonce": held["nonce"], "client_id": os.environ["CLIENT_ID"]}
    claims = CodeIDToken(read.claims, read.header, issuer, known)
    claims.validate(leeway=120)
    session["user"], session["token"] = claims["sub"], token


async def report(session):
    async def update_token(token, **_found):
        session["token"] = token

    async with await client(token=session["token"], update_token=update_token) as oauth:
        return (await oauth.get(f"{os.environ['API']}userinfo")).json()
