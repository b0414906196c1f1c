"""How a prepared request reaches a provider: the ports, and what their implementations must do.

A transport

* sends the request as it is: method, URL, headers and body, and no header of its own but
  ``Host``, ``Content-Length``, ``User-Agent`` and ``Accept-Encoding: identity``;
* ends at ``request.deadline`` seconds by the wall, even if the other side is slow, with name
  lookup, connecting and the TLS handshake included;
* reads no more of a body than ``request.max_body`` octets;
* follows no redirect, keeps no cookie, decodes no ``Content-Encoding`` and refuses any;
* verifies the server's certificate and name under TLS 1.2 or newer;
* connects only to addresses that ``request.reach`` admits, and to exactly the address that it
  judged, also where it reuses a connection (:func:`~oidc_core.wire.addresses.admits`);
* takes no proxy and no credential from the environment or from files in the user's home;
* makes a second attempt only as ``request.resend`` allows, at most one, before the same deadline;
* never reuses a connection on which anything was odd;
* raises nothing for a failure of the network: it returns a :class:`~oidc_core.wire.http.NoAnswer`
  that says whether the request may have arrived;
* leaves the client open that the application passed in.

The core decides what an answer means; a transport has no opinion on any status.

A transport that always judges addresses says so by an attribute ``judges_addresses``. One without
it does not judge them, and is refused where the policy exempts nobody
(:data:`~oidc_core.model.origins.PUBLIC_ONLY`). Each answer says in its
:class:`~oidc_core.wire.http.Channel` whether the server's certificate and the address were checked.

``oidc_adapters.testing.TRANSPORT_DUTIES`` tries all of this.  A transport that lacks one of these
duties says so by an attribute ``lacks``: their names, each with the reason.
"""

from typing import Protocol

from oidc_adapters.runtime.clock import Clock
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest


class Transport(Protocol):
    """Sends a request and waits for the answer."""

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, and stamp the answer with the clock's time.

        Raises:
            UsageError: ``parameter_invalid`` for a header that would break out of its line,
                or a ``url_`` code for a URL that must not be sent to.
        """
        ...


def judges_addresses(transport: object) -> bool:
    """Return whether a transport says that it judges every address it connects to."""
    return getattr(transport, "judges_addresses", False) is True


class AsyncTransport(Protocol):
    """Sends a request and awaits the answer."""

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, and stamp the answer with the clock's time; as in :class:`Transport`."""
        ...
