"""How the client authenticates (OIDC Core §9), and what goes into the JWTs it signs.

The core names credentials; the adapter that prepares a request replaces the name by the value.
The content of an assertion is protocol, so it is built here, from ``now`` and ``jti``.
"""

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Final

from oidc_core.model.relying_party import RelyingParty, assertion_audience, target
from oidc_core.wire.encoding import b64url_encode, percent_encode
from oidc_core.wire.errors import OidcError, ProviderError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    HttpRequest,
    Parameters,
    Purpose,
    placeholders,
)
from oidc_core.wire.jsontypes import JsonObject, JsonValue, quoted, render

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ACCEPT: Final = ("accept", "application/json")


def client_request(
    rp: RelyingParty, purpose: Purpose, endpoint_name: str, parameters: Parameters, *, max_body: int
) -> HttpRequest:
    """Return a request that the client authenticates: every one goes through here.

    An authorization code works once, and many refresh tokens do too: a request with one is never
    sent again unless no octet of it can have reached the provider.

    Args:
        rp: the relying party.
        purpose: the purpose of the request.
        endpoint_name: the metadata's name of where it goes, as in ``token_endpoint``.
        parameters: what is asked.
        max_body: how many octets the answer may have.

    Raises:
        UsageError: ``unsupported_by_provider`` if the metadata has no such endpoint.
    """
    headers, credentials = client_authentication(rp)
    url, way = target(rp, endpoint_name)
    return HttpRequest(
        purpose=purpose,
        method="POST",
        url=url,
        way=way,
        headers=(_ACCEPT, *headers),
        form=parameters + credentials,
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        resend="if_unsent",
        max_body=max_body,
    )


def client_authentication(rp: RelyingParty) -> tuple[Parameters, Parameters]:
    """Return the headers and the form values that authenticate the client.

    The identifier is sent in the form only where it is not in the header: twice would be two
    authentication methods in one request (RFC 6749 §2.3).
    """
    client = rp.client
    method = rp.auth_method
    if method == "client_secret_basic":
        raw = "basic_raw_credentials" in rp.policy.quirks
        basic = BasicCredentials(issuer=rp.issuer, client_id=client.client_id, raw=raw)
        return (("authorization", basic),), ()
    identifier: Parameters = (("client_id", client.client_id),)
    if method == "none":
        return (), identifier
    if method == "client_secret_post":
        secret = ClientSecret(issuer=rp.issuer, client_id=client.client_id)
        return (), (*identifier, ("client_secret", secret))
    return (), (
        *identifier,
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", client_assertion(rp)),
    )


_SCORN: Final = frozenset({"invalid_client", "invalid_request", "unauthorized_client"})


def credential_hint(request: HttpRequest, error: OidcError) -> str:
    """Return what to change where the provider may have refused how the client authenticates.

    It is empty for a request that no client authenticates, and for any other refusal.
    """
    scorned = isinstance(error, ProviderError) and error.error in _SCORN
    silent = error.code == "http_status_unexpected" and error.found in {400, 401}
    if request.form is None or error.retryable == "later" or not (scorned or silent):
        return ""
    sent = placeholders((*request.headers, *request.form))
    assertion = next((each for each in sent if isinstance(each, ClientAssertion)), None)
    if assertion is not None:
        return _FOR_ENDPOINT if assertion.audience == request.url else _FOR_ISSUER
    if not isinstance(error, ProviderError) or error.error != "invalid_client":
        return ""
    if any(isinstance(each, BasicCredentials) and not each.raw for each in sent):
        return _ENCODED
    return "" if sent else "no secret is sent: is the client registered as a public one?"


_ENCODED: Final = (
    "if client_id or secret has characters other than letters, digits and -._~, the quirk"
    " basic_raw_credentials or client_secret_post may help"
)
_FOR_ISSUER: Final = (
    "the assertion is made out for the issuer: for a provider that takes only its token endpoint"
    " there is the quirk assertion_audience_token_endpoint"
)
_FOR_ENDPOINT: Final = (
    "the assertion is made out for the token endpoint: for a provider that takes only its issuer,"
    " leave out the quirk assertion_audience_token_endpoint"
)


def client_assertion(rp: RelyingParty) -> ClientAssertion:
    """Name the assertion this client authenticates with.

    Its audience is the issuer, as one string.  Of several that are configured, the metadata says
    which; it names no other, so no hostile provider has assertions made out for an honest one.
    The token endpoint is a quirk.

    Raises:
        UsageError: what :func:`oidc_core.model.relying_party.assertion_audience` raises.
    """
    return ClientAssertion(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        audience=assertion_audience(rp),
        alg=rp.client.assertion_alg,
        lifetime=rp.policy.assertion_lifetime,
    )


def assertion_payload(assertion: ClientAssertion, *, now: int, jti: str) -> str:
    """Return the claims of a client assertion as JSON (RFC 7523 §3, OIDC Core §9).

    ``jti`` must be fresh for each transmission, retries included.
    """
    client_id = quoted(assertion.client_id)
    return (
        f'{{"iss":{client_id},"sub":{client_id},"aud":{quoted(assertion.audience)},'
        f'"jti":{quoted(jti)},"iat":{now},"exp":{now + assertion.lifetime}}}'
    )


def encoded_header(members: Mapping[str, JsonValue]) -> str:
    """Return a JOSE header in base64url: the same for each JWT that a key signs for one purpose."""
    return b64url_encode(render(JsonObject(members)).encode("ascii"))


def signing_input(header: str, payload: str) -> bytes:
    """Return an encoded header and claims as the octets to be signed (RFC 7515 §5.1)."""
    return f"{header}.{b64url_encode(payload.encode('ascii'))}".encode("ascii")


def basic_credentials(client_id: str, secret: str, *, raw: bool) -> str:
    """Return the value of an ``Authorization`` header for HTTP Basic.

    RFC 6749 §2.3.1 has identifier and secret percent-encoded first; a space is ``%20``, since
    not every provider reads ``+``.  ``raw`` leaves that out.
    """
    pair = (client_id, secret) if raw else (percent_encode(client_id), percent_encode(secret))
    return "Basic " + b2a_base64(
        ":".join(pair).encode("utf-8", "surrogatepass"), newline=False
    ).decode("ascii")
