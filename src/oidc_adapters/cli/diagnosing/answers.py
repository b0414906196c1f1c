"""The server of an answer: its certificate, and its clock."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from oidc_adapters.cli.times import length_text
from oidc_adapters.cli.verdicts import Verdict
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.wire.http import HttpResponse

_TLS: Final = "the connection has TLS, and the server's certificate is verified"
_CLOCK: Final = "both clocks show the same time"


def tls_verdict(url: str, response: HttpResponse) -> Verdict:
    """Say whether the server was the one that the URL names."""
    spec = "OIDC Core §16.17"
    if not url.startswith("https://"):
        return Verdict(
            name="tls",
            says=_TLS,
            outcome="warned",
            spec=spec,
            found="http",
            expected="https",
            hint="for development on this machine only: insecure_allow_http_loopback",
        )
    server = response.channel.server
    return Verdict(
        name="tls",
        says=_TLS,
        outcome="passed" if server == "verified" else "unjudged",
        spec=spec,
        reason="" if server == "verified" else "the transport does not tell",
    )


def clock_verdict(response: HttpResponse) -> Verdict:
    """Compare the clock of the server with this one, by the ``Date`` header (RFC 9110 §6.6.1)."""
    spec, date = "RFC 9110 §6.6.1", _date(response)
    if date is None:
        return _skipped(spec, "the answer has no Date")
    if response.header("age") not in {None, "0"}:
        return _skipped(spec, "a cache answered: its Date is of another moment")
    ahead, leeway = date - response.received_at, DEFAULT_POLICY.leeway
    how = f"the server is {length_text(ahead)} {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) <= leeway:
        return Verdict(
            name="clock",
            says=_CLOCK,
            outcome="passed",
            spec=spec,
            found="the same time" if ahead == 0 else how,
        )
    too_far = ahead > leeway
    return Verdict(
        name="clock",
        says=_CLOCK,
        outcome="failed" if too_far else "warned",
        spec=spec,
        code="iat_in_future" if too_far else "",
        found=how,
        expected=f"at most {leeway} seconds apart",
        hint="one of both clocks is wrong: have both set by NTP",
    )


def _skipped(spec: str, reason: str) -> Verdict:
    return Verdict(name="clock", says=_CLOCK, outcome="skipped", spec=spec, reason=reason)


def _date(response: HttpResponse) -> int | None:
    try:
        date = parsedate_to_datetime(response.header("date") or "")
    except (ValueError, OverflowError):  # a number of 30 digits
        return None
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
