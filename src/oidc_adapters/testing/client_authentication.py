"""How a client proves itself at the token endpoint (OIDC Core §9, RFC 6749 §2.3, RFC 7523)."""

import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import unquote_plus

from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import OAuthError, single_header
from oidc_adapters.testing.parties import FakeClient, Members
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.signing import (
    ALGORITHMS,
    SigningKey,
    b64url_octets,
    is_object,
    parsed,
    verifies,
)
from oidc_core.wire.http import WireRequest

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_LIFETIME: Final = 300
MAX_SECRET_LIFETIME: Final = 15_777_000


def authenticated_client(
    state: ProviderState, request: WireRequest, form: Mapping[str, str], now: int
) -> FakeClient:
    """Return the client that proved itself, by the one method it is registered with.

    Raises:
        OAuthError: ``invalid_client``, or ``invalid_request`` if it used two methods at once.
    """
    authorization = single_header(request, "authorization")
    ways = [authorization, form.get("client_secret"), form.get("client_assertion")]
    if sum(way is not None for way in ways) > 1:
        raise OAuthError("invalid_request", "the client used two ways to authenticate")
    if authorization is not None:
        return _by_basic(state, authorization, form)
    if "client_assertion" in form:
        return _by_assertion(state, form, now)
    client = state.client(form.get("client_id"))
    if client is None:
        _refuse("the client is unknown")
    if "client_secret" in form:
        _require_method(client, "client_secret_post")
        if client.signed_secret:
            _require_signed_secret(state, client, form["client_secret"], now)
        else:
            _require_secret(client, form["client_secret"])
    else:
        _require_method(client, "none")
    return client


def _refuse(why: str) -> NoReturn:
    raise OAuthError("invalid_client", why, status=401, challenge='Basic realm="fake provider"')


def _require_method(client: FakeClient, method: str) -> None:
    if client.token_endpoint_auth_method != method:
        _refuse(f"the client is registered with {client.token_endpoint_auth_method}, not {method}")


def _require_secret(client: FakeClient, secret: str) -> None:
    if not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        _refuse("the secret is wrong")


def _require_signed_secret(state: ProviderState, client: FakeClient, secret: str, now: int) -> None:
    """Hold the client to a secret that it signs for itself, as Apple demands."""
    parts = secret.split(".")
    if len(parts) != 3:
        _refuse("the secret is not a compact JWS")
    header, claims = _object(parts[0]), _object(parts[1])
    alg, exp = str(header.get("alg")), claims.get("exp")
    octets = f"{parts[0]}.{parts[1]}".encode("ascii", "replace")
    keys = [jwk for jwk in client.jwks if jwk.get("kid") == header.get("kid")]
    known = alg in ALGORITHMS and ALGORITHMS[alg].family != "HS"
    if not known or not any(verifies(jwk, alg, octets, _octets(parts[2])) for jwk in keys):
        _refuse("the signature of the secret does not verify")
    if (claims.get("sub"), claims.get("aud")) != (client.client_id, state.issuer):
        _refuse("the secret is another client's, or for another provider")
    if not isinstance(exp, int) or not now < exp <= now + MAX_SECRET_LIFETIME:
        _refuse("the secret has expired, or lives for more than six months")


def _by_basic(state: ProviderState, header: str, form: Mapping[str, str]) -> FakeClient:
    scheme, _, credentials = header.partition(" ")
    try:
        decoded = b64decode(credentials.encode("ascii"), validate=True).decode()
    except ValueError:
        _refuse("the Basic credentials are malformed")
    if scheme.lower() != "basic" or ":" not in decoded:
        _refuse("the Basic credentials are malformed")
    user, _, password = decoded.partition(":")
    raw = state.client(user)
    if raw is not None and raw.raw_basic:
        client, secret = raw, password
    else:
        found = state.client(unquote_plus(user))
        if found is None or found.raw_basic:
            _refuse("the client is unknown")
        client, secret = found, unquote_plus(password)
    if form.get("client_id", client.client_id) != client.client_id:
        _refuse("the body names another client")
    _require_method(client, "client_secret_basic")
    _require_secret(client, secret)
    return client


def _by_assertion(state: ProviderState, form: Mapping[str, str], now: int) -> FakeClient:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        _refuse("client_assertion_type is missing or wrong")
    parts = form["client_assertion"].split(".")
    if len(parts) != 3:
        _refuse("the assertion is not a compact JWS")
    header, claims = _object(parts[0]), _object(parts[1])
    sub = claims.get("sub")
    client = state.client(sub if isinstance(sub, str) else None)
    if client is None or form.get("client_id", client.client_id) != client.client_id:
        _refuse("sub of the assertion is not the client")
    signing_input = f"{parts[0]}.{parts[1]}".encode("ascii", "replace")
    _check_signature(client, header, signing_input, _octets(parts[2]))
    _check_claims(state, client, claims, now)
    return client


def _octets(part: str) -> bytes:
    try:
        return b64url_octets(part)
    except ValueError:
        _refuse("the assertion is not base64url")


def _object(part: str) -> Members:
    try:
        value = parsed(_octets(part))
    except ValueError:
        _refuse("the assertion is not JSON")
    if not is_object(value):
        _refuse("the assertion holds no JSON object")
    return value


def _check_signature(client: FakeClient, header: Members, octets: bytes, signature: bytes) -> None:
    alg = str(header.get("alg"))
    if alg not in ALGORITHMS:
        _refuse("the assertion's algorithm is unknown")
    if ALGORITHMS[alg].family == "HS":
        _require_method(client, "client_secret_jwt")
        key = SigningKey(alg=alg, kid=None, private=client.client_secret.encode())
        good = hmac.compare_digest(key.signature(octets), signature)
    else:
        _require_method(client, "private_key_jwt")
        kid = header.get("kid")
        keys = [jwk for jwk in client.jwks if kid is None or jwk.get("kid", kid) == kid]
        good = any(verifies(jwk, alg, octets, signature) for jwk in keys)
    if not good:
        _refuse("the assertion's signature does not verify")


def _check_claims(state: ProviderState, client: FakeClient, claims: Members, now: int) -> None:
    """Hold the client to RFC 7523 §3, with one audience: usually the issuer (RFC 7523bis)."""
    exp, jti = claims.get("exp"), claims.get("jti")
    if claims.get("iss") != client.client_id:
        _refuse("iss of the assertion is not the client")
    to_issuer = state.dialect.assertion_audience == "issuer"
    if claims.get("aud") != (state.issuer if to_issuer else endpoint(state.base, "token")):
        expected = "issuer" if to_issuer else "token endpoint"
        _refuse(f"aud of the assertion is not the {expected} as a string")
    if not isinstance(exp, int) or isinstance(exp, bool) or exp <= now:
        _refuse("the assertion has expired, or has no exp")
    if exp > now + MAX_ASSERTION_LIFETIME:
        _refuse("the assertion lives too long")
    if not isinstance(jti, str) or not jti:
        _refuse("the assertion has no jti")
    if not state.ledger.seen_once(client.client_id, jti, exp, now):
        _refuse("the assertion was used before")
