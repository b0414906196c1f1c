"""``auth=`` for httpx; test_token_auth.py has its rules."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.adapters.clients.test_session_tokens import site

pytest.importorskip("httpx")

import httpx

from oidc_adapters.clients.httpx_auth import HttpxAuth
from oidc_adapters.clients.token_auth import TokenAuth

IMPORT = """
import sys
import oidc_adapters, oidc_adapters.clients.token_auth
print("httpx" in sys.modules)
"""


def test_it_is_an_auth_of_the_library() -> None:
    auth = HttpxAuth(site().tokens)

    assert isinstance(auth, httpx.Auth)
    assert isinstance(auth, TokenAuth)
    assert not auth.requires_response_body


def test_the_library_is_imported_only_by_its_own_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "False"
