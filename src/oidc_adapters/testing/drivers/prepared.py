"""Compares each request on the wire with the request of the step."""

import binascii
from base64 import b64decode
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from attrs import define, field

from oidc_adapters.testing.drivers.duties import broken
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import b64url_octets, is_object, parsed, verifies
from oidc_core.machine.dpop import nonce_of, proof_of
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    DpopProof,
    HttpRequest,
    HttpResponse,
    ParameterValue,
    Role,
    WireRequest,
)

_OF_HTTP: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "user-agent"}
)
"""The headers that any HTTP client adds."""
_FORM: Final = ("content-type", "application/x-www-form-urlencoded")

Server = tuple[str, str, Role]
"""Who gives out DPoP nonces: issuer, origin and role."""


@define(kw_only=True)
class Prepared:
    """The facts that requests are judged by.

    Attributes:
        secrets: the secret of each client, by issuer.
        dpop_key: the public key that proofs are made with.
        jtis: the identifiers of all assertions and proofs so far.
        nonces: the newest nonce of each server.
    """

    secrets: dict[str, str] = field(repr=False)
    dpop_key: Members
    jtis: set[str] = field(factory=set[str])
    nonces: dict[Server, str] = field(factory=dict[Server, str])

    def check(self, asked: HttpRequest, wire: WireRequest, now: int) -> None:
        """Compare the request of a step with the request on the wire.

        Raises:
            DutyBroken: they differ, or what was signed is not fresh.
        """
        if (wire.method, wire.url) != (asked.method, asked.way.url or asked.url):
            broken("as-prepared", f"{asked.method} {asked.url} became {wire.method} {wire.url}")
        self._check_limits(asked, wire)
        self._check_headers(asked, wire, now)
        pairs = asked.form
        if pairs is None:
            if wire.body is not None:
                broken("as-prepared", f"{asked.url} got a body")
            return
        body = (wire.body or b"").decode("ascii", "replace")
        sent = parse_qsl(body, keep_blank_values=True)
        if [name for name, _ in sent] != [name for name, _ in pairs]:
            broken("as-prepared", f"the form of {asked.url} has other members")
        for (name, value), (_, text) in zip(pairs, sent, strict=True):
            self._check_value(asked, name, value, text, now)

    def remember(self, asked: HttpRequest, answer: HttpResponse) -> None:
        """Take note of the nonce that an answer to a request with a proof brings."""
        nonce = nonce_of(answer)
        if nonce is not None and proof_of(asked) is not None:
            self.nonces[server_of(asked)] = nonce

    def _check_limits(self, asked: HttpRequest, wire: WireRequest) -> None:
        for name, expected, found in (
            ("max_body", asked.max_body, wire.max_body),
            ("resend", asked.resend, wire.resend),
            ("reach", asked.way.reach, wire.reach),
        ):
            if found != expected:
                broken("limits-kept", f"{name} of {asked.url} is {found}, not {expected}")
        if not 0 < wire.deadline <= asked.deadline:
            broken("limits-kept", f"the deadline of {asked.url} is {wire.deadline} seconds")

    def _check_headers(self, asked: HttpRequest, wire: WireRequest, now: int) -> None:
        expected = [*asked.headers, *([] if asked.form is None else [_FORM])]
        sent = [(name, text) for name, text in wire.headers if name not in _OF_HTTP]
        names, wanted = sorted(n for n, _ in sent), sorted(n for n, _ in expected)
        if names != wanted:
            broken("as-prepared", f"the headers of {asked.url} are {names}, not {wanted}")
        texts = dict(sent)
        for name, value in expected:
            self._check_value(asked, name, value, texts[name], now)

    def _check_value(
        self, asked: HttpRequest, name: str, value: ParameterValue, text: str, now: int
    ) -> None:
        match value:
            case str():
                good = text == value
            case ClientSecret():
                good = text == self.secrets[value.issuer]
            case BasicCredentials():
                good = _basic(text) == (value.client_id, self.secrets[value.issuer])
            case ClientAssertion():
                claims = self._fresh(asked, name, text)
                good = (claims.get("iss"), claims.get("aud")) == (value.client_id, value.audience)
            case DpopProof():
                self._check_proof(asked, value, text, now)
                good = True
            case _:
                good = text == str(value)
        if not good:
            broken("as-prepared", f"{name} of {asked.url} has another value")

    def _fresh(self, asked: HttpRequest, name: str, token: str) -> Members:
        """Return the claims of a JWT, which has a ``jti`` for this one use."""
        claims = _part(token, 1)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            broken("as-prepared", f"{name} of {asked.url} has no jti")
        if jti in self.jtis:
            broken("fresh-proofs", f"the jti in {name} of {asked.url} was used before")
        self.jtis.add(jti)
        return claims

    def _check_proof(self, asked: HttpRequest, proof: DpopProof, token: str, now: int) -> None:
        claims, header = self._fresh(asked, "dpop", token), _part(token, 0)
        head, _, signature = token.rpartition(".")
        jwk, alg = header.get("jwk"), str(header.get("alg"))
        if (
            not is_object(jwk)
            or any(self.dpop_key.get(member) != value for member, value in jwk.items())
            or not verifies(jwk, alg, head.encode("ascii"), b64url_octets(signature))
        ):
            broken("as-prepared", f"the proof of {asked.url} is not signed with the DPoP key")
        for name, expected in (("htm", proof.htm), ("htu", proof.htu), ("ath", proof.ath)):
            if claims.get(name) != expected:
                broken("as-prepared", f"{name} in the proof of {asked.url} has another value")
        iat = claims.get("iat")
        if not isinstance(iat, int) or abs(now - iat) > asked.deadline:
            broken("fresh-proofs", f"the proof of {asked.url} was made at another time")
        newest = self.nonces.get(server_of(asked)) if proof.nonce is None else proof.nonce
        if claims.get("nonce") != newest:
            known = "no nonce" if newest is None else "the newest nonce"
            broken("dpop-nonces", f"the proof of {asked.url} does not have {known}")


def server_of(request: HttpRequest) -> Server:
    """Return the server of a request, as it gives out nonces."""
    return request.issuer, "/".join(request.url.split("/", 3)[:3]), request.role


def _basic(text: str) -> tuple[str, ...]:
    """Return name and password of HTTP Basic credentials; other text has neither."""
    scheme, _, encoded = text.partition(" ")
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ()
    return (unquote_plus(user), unquote_plus(password)) if scheme == "Basic" else ()


def _part(token: str, place: int) -> dict[str, Any]:
    """Return the header or the claims of a compact JWT; none of anything else."""
    try:
        read = parsed(b64url_octets(token.split(".")[place]))
    except (ValueError, IndexError):
        return {}
    return read if is_object(read) else {}
