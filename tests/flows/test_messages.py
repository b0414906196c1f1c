"""The messages for an operator: one of every error code, from a real refusal.

A message that changes changes ``tests/golden/messages.txt`` too, so that somebody reads it again::

    OIDC_CORE_WRITE_MESSAGES=1 python -m pytest tests/flows/test_messages.py
"""

import os
import re
from pathlib import Path

import pytest

from oidc_core.wire.codes import CODES
from tests.flows.refusals import REFUSALS, refusal

_digest = re.compile(r"\b[0-9a-f]{16}\b").sub
"""Digests of a configuration are other ones with each setting that is added."""
GOLDEN = Path(__file__).parent.parent / "golden" / "messages.txt"


def test_every_code_has_a_real_refusal() -> None:
    assert {*REFUSALS} == {*CODES}


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_is_of_the_code_that_it_stands_for(code: str) -> None:
    error = refusal(code)
    assert error.code == code
    assert str(error).startswith(code)
    assert len(str(error)) < 1_000


def test_the_messages_are_as_they_were_read() -> None:
    errors = [refusal(code) for code in CODES]
    lines = [_digest("digest", f"{e.retryable:7} {e.kind:13} {e}") for e in errors]
    if os.environ.get("OIDC_CORE_WRITE_MESSAGES"):
        GOLDEN.write_text("\n".join(lines) + "\n", "utf-8")
    assert lines == GOLDEN.read_text("utf-8").splitlines()
