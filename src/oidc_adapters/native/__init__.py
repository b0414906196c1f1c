"""Logins of programs on the user's own machine, whose browser comes back on loopback (RFC 8252)."""

from oidc_adapters.native.loopback import loopback_login

__all__ = ["loopback_login"]
