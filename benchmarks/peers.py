"""Other libraries compared with ours, on the same tokens, each by its own best documented way.

They are imported when asked for, by name: nothing here is needed otherwise.  Each gets its keys
parsed in advance and does what an application would have to do to validate an ID token with it:
signature, issuer, audience, times, nonce.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from benchmarks.import_rows import CLIENT, imports
from benchmarks.parties import validation
from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, ratio_row, value_row
from benchmarks.tokens import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    NONCE,
    SignedToken,
    floor_of,
    signed_token,
)
from oidc_adapters.testing.signing import b64url

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "HS256")
OURS: Final = "oidc-core"

Claims: TypeAlias = Mapping[str, Any]
Ratios: TypeAlias = Mapping[str, Mapping[str, float]]
"""Algorithm to library to ratio over the floor."""


def peer_rows(effort: Effort) -> tuple[tuple[Row, ...], Ratios]:
    """Validate with everybody; return the rows and, for a picture, the ratios alone."""
    rows: list[Row] = []
    ratios: dict[str, Mapping[str, float]] = {}
    for alg in ALGORITHMS:
        token = signed_token(alg)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the peers are not ours to heed
            calls = {name: _sure(make(token)) for name, make in PEERS.items()}
            calls = {OURS: validation(token), **calls, "floor": floor_of(token)}
            samples = interleaved(calls, effort)
        found = {name: samples.ratio(name, "floor") for name in (OURS, *PEERS)}
        ratios[alg] = {name: ratio.median for name, ratio in found.items()}
        rows += [
            ratio_row(f"peers_{alg.lower()}_{name}", samples.cost(name), ratio)
            for name, ratio in found.items()
        ]
    costs = imports(IMPORTS, effort)
    rows += [value_row(f"peers_import_{name}", cost, "ms") for name, cost in costs.items()]
    return tuple(rows), ratios


def versions() -> str:
    """Name the peers with their versions."""
    return ", ".join([f"{name} {version(name)}" for name in ("cryptography", *PEERS)])


def _sure(call: Callable[[], Claims]) -> Call:
    """Return the call, once it has accepted the token for its nonce."""
    if call()["nonce"] != NONCE:
        message = "a peer did not validate the token"
        raise ValueError(message)
    return call


def _jwk(token: SignedToken) -> dict[str, Any]:
    if token.key.kid is None:
        return {"kty": "oct", "k": b64url(CLIENT_SECRET.encode())}
    return token.key.public_jwk()


def _pyjwt(token: SignedToken) -> Callable[[], Claims]:
    jwt: Any = import_module("jwt")
    keys = {token.key.kid: jwt.PyJWK(_jwk(token), algorithm=token.alg)}
    needed = {"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]}

    def validated() -> Claims:
        kid = jwt.get_unverified_header(token.text).get("kid")
        claims: Claims = jwt.decode(
            token.text,
            keys[kid],
            algorithms=[token.alg],
            audience=CLIENT_ID,
            issuer=ISSUER,
            options=needed,
        )
        return _of_this_login(claims)

    return validated


def _joserfc(token: SignedToken) -> Callable[[], Claims]:
    jwt: Any = import_module("joserfc.jwt")
    jwk: Any = import_module("joserfc.jwk")
    members = _jwk(token)
    key = jwk.KeySet([jwk.import_key(members)]) if token.key.kid else jwk.import_key(members)
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        nonce={"essential": True, "value": NONCE},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )

    def validated() -> Claims:
        decoded = jwt.decode(token.text, key, algorithms=[token.alg])
        registry.validate(decoded.claims)
        claims: Claims = decoded.claims
        return claims

    return validated


def _authlib(token: SignedToken) -> Callable[[], Claims]:
    jose: Any = import_module("authlib.jose")
    core: Any = import_module("authlib.oidc.core")
    decoder, members = jose.JsonWebToken([token.alg]), _jwk(token)
    key = (
        jose.JsonWebKey.import_key_set({"keys": [members]})
        if token.key.kid
        else jose.OctKey.import_key(members)
    )
    options = {"iss": {"values": [ISSUER]}, "aud": {"essential": True, "value": CLIENT_ID}}
    params = {"nonce": NONCE, "client_id": CLIENT_ID, "access_token": ACCESS_TOKEN}

    def validated() -> Claims:
        claims = decoder.decode(
            token.text,
            key=key,
            claims_cls=core.CodeIDToken,
            claims_options=options,
            claims_params=params,
        )
        claims.validate()
        accepted: Claims = claims
        return accepted

    return validated


def _jwcrypto(token: SignedToken) -> Callable[[], Claims]:
    jwk: Any = import_module("jwcrypto.jwk")
    jwt: Any = import_module("jwcrypto.jwt")
    key = jwk.JWK(**_jwk(token))
    if token.key.kid:
        keys = jwk.JWKSet()
        keys.add(key)
        key = keys
    wanted = {"iss": ISSUER, "aud": CLIENT_ID, "nonce": NONCE, "sub": None, "exp": None}

    def validated() -> Claims:
        checked = jwt.JWT(jwt=token.text, key=key, check_claims=wanted, algs=[token.alg])
        claims: Claims = json.loads(checked.claims)
        return claims

    return validated


def _of_this_login(claims: Claims) -> Claims:
    if claims["nonce"] != NONCE:
        message = "nonce"
        raise ValueError(message)
    return claims


PEERS: Final[Mapping[str, Callable[[SignedToken], Callable[[], Claims]]]] = MappingProxyType(
    {"joserfc": _joserfc, "authlib": _authlib, "jwcrypto": _jwcrypto, "pyjwt": _pyjwt}
)

IMPORTS: Final = {
    OURS: CLIENT,
    "joserfc": "import joserfc.jwt",
    "authlib_requests": "import authlib.integrations.requests_client, authlib.oidc.core",
    "jwcrypto": "import jwcrypto.jwt",
    "pyjwt": "import jwt, jwt.algorithms",
}
