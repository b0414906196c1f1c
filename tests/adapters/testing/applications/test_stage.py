"""A subclass describes its application; the machine asks who is signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from oidc_adapters.testing.applications import ApplicationMachine, PageAnswer, World
from oidc_adapters.testing.applications.callers import AsgiCaller
from oidc_adapters.testing.applications.links import content_of
from oidc_adapters.testing.applications.stage import form_to, who_in
from oidc_core.wire.errors import UsageError
from tests.adapters.testing.applications.site import SITE, pages, shows


@pytest.mark.parametrize(
    ("status", "text", "who"),
    [
        (200, '["https://op.example", "alice"]', ("https://op.example", "alice")),
        (200, '{"iss": "i", "sub": "s", "name": "n"}', ("i", "s")),
        (200, '{"issuer": "i", "subject": "s"}', ("i", "s")),
        (200, "null", None),
        (200, "false", None),
        (200, "{}", None),
        (200, "[]", None),
        (200, '["i", 1]', None),
        (200, "<html>", None),
        (401, '["i", "s"]', None),
    ],
)
def test_who_is_signed_in(status: int, text: str, who: tuple[str, str] | None) -> None:
    assert who_in(PageAnswer(status=status, body=text.encode())) == who


def test_a_form_is_found_by_where_it_goes() -> None:
    html = '<form action="/search"></form><form action="/login?a=1" method="post"></form>'
    content = content_of(f"{SITE}/", html)

    found = form_to(content, f"{SITE}/login")
    assert found is not None
    assert found.method == "post"
    assert form_to(content, f"{SITE}/logout") is None


def test_a_machine_needs_an_application() -> None:
    with pytest.raises(UsageError) as refused:
        ApplicationMachine()
    assert (refused.value.code, refused.value.about) == ("config_invalid", "application")


class Each(ApplicationMachine):
    """An application for each example."""

    made = 0

    def application(self, world: World) -> Callable[..., list[bytes]]:
        Each.made += 1
        return pages({"/who": shows("null")})


class Only(ApplicationMachine):
    """One application for the process."""

    made = 0
    worlds: ClassVar[list[World]] = []

    def application(self, world: World) -> Callable[..., list[bytes]]:
        Only.made += 1
        return pages({"/who": shows("null")})

    def reset(self, world: World) -> None:
        Only.worlds.append(world)


def test_an_application_is_made_for_each_example_unless_it_can_be_reset() -> None:
    for kind in (Each, Only):
        for _ in range(2):
            kind().teardown()

    assert (Each.made, Only.made) == (2, 1)
    assert len({id(world) for world in Only.worlds}) == 2


def test_the_interface_may_be_named() -> None:
    class Named(ApplicationMachine):
        interface = "asgi"

        def application(self, world: World) -> Any:
            async def answer(send: Any) -> None:
                await send({"type": "http.response.start", "status": 204})

            def called(_scope: Any, _receive: Any, send: Any) -> Any:
                return answer(send)

            return called

    machine = Named()
    assert isinstance(machine._caller, AsgiCaller)
    assert machine.who(machine.browsers[0]) is None
    machine.teardown()
