"""An application with Authlib and the same one with oidc-core show users the same."""

from __future__ import annotations

import asyncio
import runpy
import tempfile
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.testing import FakeProvider, serve
from oidc_adapters.testing.parties import ALICE
from tests.migration.mistakes import played, rows
from tests.migration.scenarios import SCENARIOS
from tests.migration.stages import CLIENT, FOLDER, MovingClock, environment, stage, surroundings

if TYPE_CHECKING:
    from collections.abc import Generator

GUIDE: Final = "from-authlib"
REPORT: Final = {"sub": "alice", **ALICE.claims}
EXPECTED: Final[dict[str, Any]] = {
    "login": [200, "Alice Adams (alice), page 1"],
    "way back": [200, "Alice Adams (alice), page 2"],
    "refused": [403, [], True],
    "logout": ["client", True, 200, True, True],
    "API call": [REPORT, [("authorization_code", 200)]],
    "refresh": [REPORT, True, [("refresh_token", 200)]],
}


def ready(*packages: str) -> None:
    for package in packages:
        pytest.importorskip(package, reason="a framework, or the group of peers, is needed")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_user_sees_the_same(framework: str, side: str) -> None:
    ready(framework, "authlib")

    with stage(side, framework) as made:
        assert {name: play(made) for name, play in SCENARIOS.items()} == EXPECTED


@pytest.mark.parametrize("side", ["before", "after"])
def test_mistakes_of_a_provider_are_refused_as_the_guide_says(side: str) -> None:
    ready("flask", "authlib")

    with stage(side, "flask") as made:
        found = played(made, GUIDE)

    assert found == {name: row[side == "after"] for name, row in rows(GUIDE).items()}


@contextmanager
def plain(side: str, name: str) -> Generator[tuple[FakeProvider, dict[str, Any]]]:
    """Run an application without a framework; yield its provider and its functions."""
    served = serve(FakeProvider(clients=(CLIENT,)), MovingClock())
    with served as provider, tempfile.TemporaryDirectory() as data:
        named = environment(provider.issuer, Path(data))
        with surroundings(named, ModuleType("settings")):
            yield provider.provider, runpy.run_path(str(FOLDER / side / name / "app.py"))


async def called(call: Any, *given: object) -> Any:
    """Call a function that waits or awaits."""
    made = call(*given)
    return await made if isawaitable(made) else made


async def logged_in(
    provider: FakeProvider, made: dict[str, Any], *, approve: bool
) -> dict[str, Any]:
    """Log in without a framework, and return the session."""
    session: dict[str, Any] = {}
    cookies: dict[str, str] = {}
    is_ours = hasattr(made["client"], "start_login")
    url = await called(made["start"], cookies if is_ours else session)
    query = provider.authorize(url, MovingClock().now(), approve=approve).url.partition("?")[2]
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    await called(made["finish"], session, query, *([header] if is_ours else []))
    return session


@pytest.mark.parametrize("name", ["session", "async_session"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_login_without_a_framework_is_the_same(side: str, name: str) -> None:
    ready("authlib", "requests", "httpx")

    async def visit() -> Any:
        session = await logged_in(provider, made, approve=True)
        with pytest.raises(Exception, match="access_denied"):
            await logged_in(provider, made, approve=False)
        report = await called(made["report"], session)
        if hasattr(made["client"], "close"):
            await called(made["client"].close)
        return [session["user"], report]

    with plain(side, name) as (provider, made):
        assert asyncio.run(visit()) == ["alice", REPORT]
