"""A browser next to the program, and a port for it to come back to."""

from socket import socket

import urllib3


def browse(url: str) -> None:
    """Visit a page, and go where it leads."""
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        onward = pool.request("GET", url, redirect=False).headers["location"]
        pool.request("GET", onward)


def sign_in(url: str) -> None:
    """Sign in on the provider's page as its first user, and go where it leads."""
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        onward = pool.request("POST", url, redirect=False).headers["location"]
        pool.request("GET", onward)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
