"""An ``auth=`` for clients of httpx: each request gets a usable access token.

.. code-block:: python

    auth = HttpxAuth(client.tokens(session["grant_id"]))
    answer = httpx.get("https://api.example/files", auth=auth)
"""

from httpx import Auth

from oidc_adapters.clients.token_auth import TokenAuth


class HttpxAuth(TokenAuth, Auth):
    """Attaches the access token of a session to each request of a client of httpx.

    It renews the token when that is due, and once more if a server answers 401.  Then the request
    is sent again if its body is at hand as a whole; one that streams its body gets the 401, and
    the next request has another token.  See
    :class:`~oidc_adapters.clients.token_auth.TokenAuth` for the settings.
    """
