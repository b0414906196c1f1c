"""Fuzz your own application: browsers, providers and attackers around it, driven by Hypothesis.

:class:`ApplicationMachine` is subclassed with a factory of the application.  It needs Hypothesis:
``pip install oidc-core[testing]``.
"""

from oidc_adapters.testing.applications.book import Book
from oidc_adapters.testing.applications.browsers import Browser, Tab
from oidc_adapters.testing.applications.laws import LawBrokenError
from oidc_adapters.testing.applications.links import PageContent, PageForm
from oidc_adapters.testing.applications.machine import ApplicationMachine
from oidc_adapters.testing.applications.routes import Routes
from oidc_adapters.testing.applications.visits import PageAnswer, SentRequest, Visit
from oidc_adapters.testing.applications.world import World

__all__ = [
    "ApplicationMachine",
    "Book",
    "Browser",
    "LawBrokenError",
    "PageAnswer",
    "PageContent",
    "PageForm",
    "Routes",
    "SentRequest",
    "Tab",
    "Visit",
    "World",
]
