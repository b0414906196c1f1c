"""The calls and the context of OpenIDConnect for Julia, on the engine of this library.

.. code-block:: python

    ctx = OIDCCtx("https://op.example", "https://rp.example/auth/login", client_id, client_secret)
    url = flow_request_authorization_code(ctx)  # send the browser there
    code = flow_get_authorization_code(ctx, query)  # what it brought back; a string, or an error
    tokens = flow_get_token(ctx, code)  # a plain dict, or an error

Names, parameters and defaults are the original's. ``docs/explanation/original.md`` lists the
differences and their reasons. For new applications
:class:`~oidc_adapters.clients.oidc_client.OidcClient` is the better door: it binds a login to its
browser by itself, and tells why something was refused.
"""

from oidc_adapters.context.login_flow import (
    flow_get_authorization_code,
    flow_get_token,
    flow_request_authorization_code,
)
from oidc_adapters.context.oidc_ctx import DEFAULT_SCOPES, OIDCCtx
from oidc_adapters.context.outcomes import APIError, AuthServerError, Failure
from oidc_adapters.context.refresh_flow import flow_refresh_token
from oidc_adapters.context.validation import check_id_token, flow_validate_id_token

__all__ = [
    "DEFAULT_SCOPES",
    "APIError",
    "AuthServerError",
    "Failure",
    "OIDCCtx",
    "check_id_token",
    "flow_get_authorization_code",
    "flow_get_token",
    "flow_refresh_token",
    "flow_request_authorization_code",
    "flow_validate_id_token",
]
