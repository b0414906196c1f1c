"""Short digests that tell one value from another, the same in every process."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, cast

from attrs import AttrsInstance, fields

_LENGTH: Final = 16


def short_digest(parts: Iterable[str]) -> str:
    """Return a short digest of some texts, in their order."""
    text = "\n".join(parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def written_fields(value: AttrsInstance) -> list[str]:
    """Write the fields of a value down, the same in every process."""
    named: list[str] = []
    for attribute in fields(type(value)):
        held: object = getattr(value, attribute.name)
        shown = (
            sorted(map(str, cast("frozenset[object]", held)))
            if isinstance(held, frozenset)
            else held
        )
        named.append(f"{attribute.name} {shown}")
    return named
