"""The parties that a login is bound to: one client at one provider, under one policy."""

from typing import NamedTuple

from oidc_core.wire.errors import CallbackError, ProtocolViolation


class Connection(NamedTuple):
    """The connection a login belongs to; it ends where it began, or not at all.

    Attributes:
        issuer: the provider's identity.
        client_id: the client.
        connection_id: tells connections to the same provider apart.
        endpoints_digest: of issuer, token endpoint and UserInfo endpoint; a login ends where one of
            them moved.
        policy_digest: of the policy; a login ends under the policy it began with.
    """

    issuer: str
    client_id: str
    connection_id: str
    endpoints_digest: str
    policy_digest: str


def check_connection(began: Connection, ends: Connection) -> None:
    """Refuse to go on elsewhere than where a login, or another grant, began.

    Raises:
        CallbackError: ``connection_mismatch``, naming the difference, or ``policy_changed``.
        ProtocolViolation: ``metadata_changed``.
    """
    if began == ends:
        return
    for name in ("issuer", "client_id", "connection_id"):
        found, expected = getattr(ends, name), getattr(began, name)
        if found != expected:
            raise CallbackError("connection_mismatch", found=found, expected=expected, about=name)
    found, expected = ends.policy_digest, began.policy_digest
    if found != expected:
        raise CallbackError("policy_changed", found=found, expected=expected)
    raise ProtocolViolation("metadata_changed")
