"""The code flow with Authlib's OAuth2Session, in a framework without an integration."""

import os
from urllib.parse import parse_qsl

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

REDIRECT_URI = "http://localhost/callback"
METADATA = requests.get(
    f"{os.environ['ISSUER']}/.well-known/openid-configuration", timeout=10
).json()


def client(**more):
    return OAuth2Session(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        scope="openid profile email offline_access",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=METADATA["token_endpoint"],
        **more,
    )


def start(session):
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = client().create_authorization_url(
        METADATA["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    session["login"] = {"state": state, "verifier": verifier, "nonce": nonce}
    return url


def finish(session, query):
    answer = dict(parse_qsl(query))
    if "error" in answer:
        raise OAuthError(answer["error"], answer.get("error_description"))
    held = session.pop("login")
    token = client(state=held["state"]).fetch_token(
        authorization_response=f"{REDIRECT_URI}?{query}", code_verifier=held["verifier"]
    )
    keys = KeySet.import_key_set(requests.get(METADATA["jwks_uri"], timeout=10).json())
    read = jwt.decode(token["id_token"], keys)
    issuer = {"iss": {"values": [METADATA["issuer"]]}}
    known = {"nonce": held["nonce"], "client_id": os.environ["CLIENT_ID"]}
    claims = CodeIDToken(read.claims, read.header, issuer, known)
    claims.validate(leeway=120)
    session["user"], session["token"] = claims["sub"], token


def report(session):
    def update_token(token, **_found):
        session["token"] = token

    with client(token=session["token"], update_token=update_token) as api:
        return api.get(f"{os.environ['API']}userinfo").json()
