"""A client of the plainest kind, by hand: it lets the harness be tested without the library."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from tests.interop.browser import Arrival
from tests.interop.clients import AWKWARD_SECRET, REDIRECT_URI

VERIFIER: Final = "a-code-verifier-of-forty-three-characters-or-more"
STATE: Final = "a-state"
NONCE: Final = "a-nonce"


def authorization_url(issuer: str, client_id: str, **extra: str) -> str:
    """The authorization request of the code flow with PKCE; `extra` adds or replaces parameters."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    parameters = {
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return f"{issuer}/auth?{urlencode(parameters | extra)}"


def redeem(issuer: str, client_id: str, arrival: Arrival) -> Any:
    """The token answer for the code that arrived."""
    return token_answer(
        issuer,
        client_id,
        {
            "grant_type": "authorization_code",
            "code": arrival.parameters["code"],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        },
    )


def token_answer(issuer: str, client_id: str, form: Mapping[str, str]) -> Any:
    """The answer of the token endpoint to `form`, with `client_secret_basic`."""
    return _posted(f"{issuer}/token", client_id, form).json()


def revoke(issuer: str, client_id: str, token: str) -> None:
    """Revoke a token (RFC 7009). With a refresh token, the provider revokes the whole grant."""
    _posted(f"{issuer}/token/revocation", client_id, {"token": token})


def userinfo_status(issuer: str, access_token: str) -> int:
    """The status of UserInfo: 200 for a good access token, otherwise 401."""
    headers = {"Authorization": f"Bearer {access_token}"}
    answer = urllib3.request("GET", f"{issuer}/me", headers=headers, retries=False, timeout=10)
    return answer.status


def _posted(url: str, client_id: str, form: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
    pair = f"{quote(client_id, safe='')}:{quote(AWKWARD_SECRET, safe='')}"
    answer = urllib3.request(
        "POST",
        url,
        body=urlencode(form).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        retries=False,
        timeout=10,
    )
    assert answer.status == 200, answer.data
    return answer


def fetched(url: str, access_token: str | None = None) -> urllib3.BaseHTTPResponse:
    """The answer to a GET, which is a success."""
    headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
    answer = urllib3.request("GET", url, headers=headers, retries=False, timeout=10)
    assert answer.status == 200, answer.data
    return answer


def published_kids(issuer: str) -> set[str]:
    """The `kid`s of the provider's key set."""
    return {key["kid"] for key in fetched(f"{issuer}/jwks").json()["keys"]}


def header_and_claims(jwt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two JSON parts of a JWT. No signature is verified: the harness is under test here."""
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in jwt.split("."))
    return json.loads(header), json.loads(claims)
