"""Strategies of misbehaviours: one of them, or several at different endpoints."""

from collections.abc import Collection
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_adapters.testing.misbehaviours import MISBEHAVIOURS, During, Endpoint, Misbehaviour, Needs
from oidc_adapters.testing.samples import misbehaviour
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError

_CLIENT: Final = ClientRegistration(client_id="client")
_DURING: Final[tuple[During, ...]] = ("discovery", "login", "userinfo", "refresh", "logout")


def _endpoint(row: Misbehaviour) -> Endpoint:
    return row.endpoint


def misbehaviours(
    policy: Policy | None = None,
    *,
    client: ClientRegistration = _CLIENT,
    request: AuthenticationRequest = DEFAULT_REQUEST,
    during: Collection[During] = _DURING,
    needs: Collection[Needs] = (),
    most: int = 1,
) -> SearchStrategy[tuple[Misbehaviour, ...]]:
    """Misbehaviours of a provider: at least one, and no two at one endpoint.

    Simplest: the first that fits, as in ``(misbehaviour('wrong_issuer'),)``.

    Args:
        policy: the client's; only those are drawn that apply to it.  ``None``: all.
        client: its registration, if there is a policy.
        request: the demands of its login, if there is a policy.
        during: the operations that refuse them.
        needs: what the client has asked for or registered, as :class:`Misbehaviour` says; without
            it, only those are drawn that need nothing.
        most: how many misbehaviours at a time.

    Raises:
        UsageError: ``config_invalid`` if no misbehaviour fits.
    """
    names = [
        name
        for name, row in MISBEHAVIOURS.items()
        if row.during in during
        and row.needs in {"", *needs}
        and (policy is None or row.applies(policy, client, request))
    ]
    if not names:
        raise UsageError("config_invalid", about="during", expected="a misbehaviour")
    rows = st.builds(misbehaviour, st.sampled_from(names))
    return st.lists(rows, min_size=1, max_size=most, unique_by=_endpoint).map(tuple)
