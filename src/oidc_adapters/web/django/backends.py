"""The authentication backend: users by issuer and subject."""

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from oidc_adapters.web.django.door import Door
from oidc_core.model.claims import Identity


class OidcBackend(ModelBackend):
    """Finds the user of a login that the routes have finished; it takes no password.

    Permissions come from Django's own ``ModelBackend``.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any | None:
        """Return the user of ``identity`` and ``claims``, ``None`` for anything else.

        The function ``OIDC["USER_OF"]`` maps them, by default
        :func:`~oidc_adapters.web.django.accounts.user_of`.

        Raises:
            PermissionDenied: there is no user for this identity.  Django then asks no other
                backend: one of another library would take the callback for its own.
        """
        del request
        identity: object = kwargs.get("identity")
        claims: Mapping[str, object] = kwargs.get("claims", {})
        if not isinstance(identity, Identity) or username is not None or password is not None:
            return None
        user = Door.of_settings().user_of(identity, claims)
        if user is None or not self.user_can_authenticate(user):
            raise PermissionDenied
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any | None:
        """Return the user of ``identity`` and ``claims``, like :meth:`authenticate`."""
        call = sync_to_async(self.authenticate)
        return await call(request, username=username, password=password, **kwargs)
