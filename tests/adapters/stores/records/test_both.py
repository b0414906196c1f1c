"""One store for code that waits and for code that awaits."""

from __future__ import annotations

import asyncio

import pytest

from oidc_adapters.stores.records import at_once


async def _ready() -> int:
    return 3


async def _fails() -> None:
    message = "of its own"
    raise LookupError(message)


def test_what_waits_for_nothing_ends_at_once() -> None:
    assert at_once(_ready()) == 3


def test_an_exception_comes_out_unchanged() -> None:
    with pytest.raises(LookupError, match="of its own"):
        at_once(_fails())


async def _sleeps() -> None:
    await asyncio.Future()


def test_what_has_to_wait_says_so() -> None:
    async def within_a_loop() -> None:
        with pytest.raises(RuntimeError, match="has to be awaited"):
            at_once(_sleeps())

    asyncio.run(within_a_loop())
