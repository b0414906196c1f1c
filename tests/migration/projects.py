"""A project of Django before, during and after its migration, in one process and one database."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from attrs import define, field

from oidc_adapters import MemoryRecords
from oidc_adapters.testing import FakeProvider, serve
from tests.comparison.columns import start_project
from tests.comparison.sites import WsgiSite
from tests.migration.stages import CLIENT, FOLDER, MovingClock, Stage, environment, given

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from tests.comparison.sites import Answer, Request

SIDES: Final = {
    "before": ("before",),
    "during": ("before", "during"),
    "after": ("after",),
}
"""Whose files make the settings and the URLs, in order."""
IN_HASTE: Final = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
APPS: Final = ["oidc_adapters.web.django", "carried"]


def module_of(name: str, side: str) -> ModuleType:
    """Run the files of a module one after the other, as of a project that has been edited."""
    made = sys.modules[name] = ModuleType(name)
    paths = [FOLDER / part / "django" / f"{name}.py" for part in SIDES[side]]
    for path in filter(Path.is_file, paths):
        exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(made))
    return made


@define
class Projects:
    """The site of the project at hand.

    Attributes:
        clock: the clock of the provider and of oidc-core.
        records: the store of oidc-core.
    """

    clock: MovingClock
    records: MemoryRecords
    _site: WsgiSite | None = field(default=None, init=False)

    def become(self, side: str) -> None:
        """Let the project be that of another day; sessions and users stay."""
        from django.core.handlers.wsgi import WSGIHandler

        settings = {k: v for k, v in vars(module_of("settings", side)).items() if k.isupper()}
        apps = dict.fromkeys([*settings["INSTALLED_APPS"], *APPS])  # Django reads them once
        new = not Path(settings["DATABASES"]["default"]["NAME"]).exists()
        settings["DATABASES"]["default"]["OPTIONS"] = {"init_command": "PRAGMA synchronous=OFF;"}
        if "OIDC" in settings:
            settings["OIDC"] |= {"CLOCK": self.clock, "RECORDS": self.records}
        start_project(
            {"OIDC": None, **settings, **IN_HASTE, "INSTALLED_APPS": [*apps]}, migrate=new
        )
        module_of("accounts", side)
        module_of("urls", side)
        self._site = WsgiSite(WSGIHandler())

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """Ask the site of the day."""
        assert self._site is not None
        return self._site.ask(requests)

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def projects() -> Generator[tuple[Stage, Projects]]:
    """Start a provider, and a project with an empty database."""
    clock = MovingClock()
    sys.path.insert(0, str(FOLDER / "after" / "django"))  # the app that is carried over
    provider = FakeProvider(clients=(CLIENT,), unasked=("name",))
    with serve(provider, clock) as served, tempfile.TemporaryDirectory() as data:
        os.environ |= environment(served.issuer, Path(data))
        site = Projects(clock, given(served.issuer, clock)["OIDC_RECORDS"])
        yield Stage(served=served, clock=clock, site=site), site
