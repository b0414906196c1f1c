"""The names of routes are judged."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing.applications import Routes
from oidc_core.wire.errors import UsageError


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"origin": "http://app.example"}, "origin"),
        ({"origin": "https://app.example/"}, "origin"),
        ({"origin": "app.example"}, "origin"),
        ({"login": "login"}, "login"),
        ({"callback": ""}, "callback"),
        ({"pages": ()}, "pages"),
        ({"pages": ("orders",)}, "pages"),
        ({"who": 1}, "who"),
    ],
)
def test_a_route_is_a_path_of_the_site(given: dict[str, Any], about: str) -> None:
    with pytest.raises(UsageError) as refused:
        Routes(**given)
    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


def test_a_path_has_a_url() -> None:
    assert Routes(origin="https://shop.example:8443").url("/a") == "https://shop.example:8443/a"
    listed: Any = ["/", "/orders"]
    assert Routes(pages=listed).pages == ("/", "/orders")
