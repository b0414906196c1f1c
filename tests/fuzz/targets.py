"""All targets there are, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from tests.fuzz import jwe, jwk_set, jws

TARGETS: Final = MappingProxyType(
    {target.name: target for target in (jws.TARGET, jwk_set.TARGET, jwe.TARGET)}
)
