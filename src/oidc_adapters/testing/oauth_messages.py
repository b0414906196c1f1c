"""OAuth's messages on the wire: forms in, JSON out, and how a request is refused."""

from collections import Counter
from collections.abc import Mapping
from urllib.parse import parse_qsl

from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import rendered
from oidc_core.wire.http import HttpResponse, WireRequest

JSON_HEADERS = (("content-type", "application/json"), ("cache-control", "no-store"))


class RequestRefused(Exception):
    """The browser brought a request that must not be answered with a redirect.

    The client is unknown, the redirect URI is not registered, or the URL is not the endpoint's: the
    provider shows a page instead (RFC 6749 §4.1.2.1).  In a test it is the client's fault.

    Attributes:
        error: an OAuth error code.
        error_description: what is wrong, for the developer.
    """

    def __init__(self, error: str, error_description: str) -> None:
        super().__init__(f"{error}: {error_description}")
        self.error = error
        self.error_description = error_description


class OAuthError(Exception):
    """A request is answered with an OAuth error; never leaves the provider."""

    def __init__(
        self, error: str, error_description: str, *, status: int = 400, challenge: str = ""
    ) -> None:
        super().__init__(error)
        self.error = error
        self.error_description = error_description
        self.status = status
        self.challenge = challenge

    def answer(self, now: int, hint: str = "") -> HttpResponse:
        """Return it as RFC 6749 §5.2 has it, with the challenge of RFC 6750 §3 if there is one.

        Args:
            now: the time.
            hint: what follows the description.
        """
        members = {"error": self.error, "error_description": self.error_description + hint}
        challenge = (("www-authenticate", self.challenge),) if self.challenge else ()
        return HttpResponse(self.status, JSON_HEADERS + challenge, rendered(members), now)


def json_answer(members: Members, now: int, *, status: int = 200) -> HttpResponse:
    """Return a JSON object as an answer."""
    return HttpResponse(status, JSON_HEADERS, rendered({**members}), now)


def unique_parameters(encoded: str) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Take form-encoded text apart: the parameters by name, and the names given twice.

    A parameter without a value counts as left out (RFC 6749 §3.1).  ``resource`` may be there more
    than once (RFC 8707 §2).

    Raises:
        ValueError: the text is not form-encoded UTF-8.
    """
    pairs = parse_qsl(
        encoded, keep_blank_values=True, strict_parsing=bool(encoded), errors="strict"
    )
    times = Counter([name for name, _ in pairs])
    repeated = sorted([name for name, count in times.items() if count > 1])
    given = {name: value for name, value in pairs if value}
    return given, tuple([name for name in repeated if name != "resource"])


def form_parameters(request: WireRequest) -> Mapping[str, str]:
    """Return the parameters of a posted form.

    Raises:
        OAuthError: ``invalid_request`` for another media type, bad encoding, a repeated parameter.
    """
    media_type = single_header(request, "content-type") or ""
    if media_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the body is not application/x-www-form-urlencoded")
    try:
        form, repeated = unique_parameters((request.body or b"").decode("ascii"))
    except ValueError:
        raise OAuthError("invalid_request", "the body is not form-encoded UTF-8") from None
    if repeated:
        raise OAuthError("invalid_request", f"repeated: {' '.join(repeated)}")
    return form


def single_header(request: WireRequest, name: str) -> str | None:
    """Return a header that may appear once.

    Raises:
        OAuthError: ``invalid_request`` if it appears twice.
    """
    values = [value for header, value in request.headers if header.lower() == name]
    if len(values) > 1:
        raise OAuthError("invalid_request", f"the header {name} appears twice")
    return values[0] if values else None
