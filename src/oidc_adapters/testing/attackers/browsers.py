"""The browsers of an attack, each with a user, cookies and tabs."""

from typing import Final

from attrs import define, field

from oidc_adapters.testing.parties import Session
from oidc_core.wire.cookies import SetCookie

TABS: Final = 2
"""How many tabs a browser has."""


@define(eq=False)
class Tab:
    """A tab: the URL that it is about to open, and the one it opened last.

    Attributes:
        following: where it goes next, empty if it stays.
        shown: where it is.
    """

    following: str = field(default="", repr=False)
    shown: str = field(default="", repr=False)


@define(eq=False)
class Browser:
    """A browser and its user.

    Attributes:
        name: of the browser, and of its user at each provider.
        controlled: whether the attacker owns it, and sees everything in it.
        cookies: of the application, by name.
        at: its sessions at providers, by issuer.
        sessions: the names of its sessions at the application, the newest last.
        tabs: its tabs.
    """

    name: str
    controlled: bool = False
    cookies: dict[str, str] = field(factory=dict[str, str], repr=False)
    at: dict[str, Session] = field(factory=dict[str, Session])
    sessions: list[str] = field(factory=list[str], repr=False)
    tabs: tuple[Tab, ...] = field(factory=lambda: tuple([Tab() for _ in range(TABS)]))

    @property
    def header(self) -> str:
        """The ``Cookie`` header."""
        return "; ".join([f"{name}={value}" for name, value in self.cookies.items()])

    def receive(self, cookies: tuple[SetCookie, ...]) -> None:
        """Set cookies, and delete those with no time left."""
        for cookie in cookies:
            if cookie.max_age == 0:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value
