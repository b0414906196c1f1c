"""Mutations that know what a token looks like, so that they get past its encoding.

An octet changed in base64url is refused by its form. These take the segments apart, change the JSON
in them, member by member, and put everything together again.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, Final

from oidc_adapters.testing.signing import b64url

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    MutateOctets = Callable[[bytes, int], bytes]
    """Octets and the longest allowed result, to others: the engine's own mutation."""

MOST: Final = 1 << 20

_NESTED: Final[list[object]] = json.loads(
    '[[], {}, [[]], [null], [{}], {"": ""}, ["a", "a"], [1, "a"]]'
)
VALUES: Final[tuple[object, ...]] = (
    *[None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 10**20, 0.5, -0.0, 1e300, 1e-320],
    *[float("inf"), float("nan"), "", "none", "\0", "\ud800", "é", " ", "AA", "AQAB", "A" * 300],
    *_NESTED,
    json.loads(17 * "[" + 17 * "]"),
)


def mutated(
    octets: bytes, limit: int, rng: Random, mutate: MutateOctets, words: tuple[str, ...]
) -> bytes:
    """Change an input; the result has at most ``limit`` octets.

    Args:
        octets: a compact token, a JSON document, or anything.
        limit: how many octets may come out.
        rng: all choices are drawn from it.
        mutate: changes octets that have no structure.
        words: names and strings that mean something to the reader of the input.
    """
    choice = rng.random()
    if choice < 0.15:
        return mutate(octets, limit)[:limit]
    if choice < 0.2:
        return _swollen(octets, limit, rng)
    if b"." in octets and not octets.startswith(b"{"):
        changed = _token(octets, rng, mutate, words)
    else:
        changed = _document(octets, rng, mutate, words)
    return changed[:limit]


def _swollen(octets: bytes, limit: int, rng: Random) -> bytes:
    """Repeat a piece until the limit is near: what is quadratic shows itself."""
    start = rng.randrange(len(octets) + 1)
    piece = octets[start : start + rng.choice((1, 2, 4, 16, 256))] or b"."
    room = limit - len(octets)
    times = max(0, min(room, rng.choice((64, 1_024, limit)))) // len(piece)
    return (octets[:start] + piece * times + octets[start:])[:limit]


def _token(octets: bytes, rng: Random, mutate: MutateOctets, words: tuple[str, ...]) -> bytes:
    parts = octets.split(b".")
    # The last part is a signature or a tag, from which the fuzzer can learn little.
    at = rng.randrange(max(1, len(parts) - (rng.random() < 0.7)))
    choice = rng.random()
    if choice < 0.04:
        del parts[at]
    elif choice < 0.08:
        parts.insert(at, parts[rng.randrange(len(parts))])
    elif choice < 0.12:
        other = rng.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    elif choice < 0.16:
        parts[at] = b""
    else:
        decoded = _decoded(parts[at])
        if decoded is None:
            parts[at] = mutate(parts[at], MOST)
        elif decoded.count(b".") == 2 and choice < 0.7:  # a token within a token
            parts[at] = b64url(_token(decoded, rng, mutate, words)).encode()
        else:
            parts[at] = b64url(_document(decoded, rng, mutate, words)).encode()
    return b".".join(parts)


def _decoded(part: bytes) -> bytes | None:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        return None


def _document(octets: bytes, rng: Random, mutate: MutateOctets, words: tuple[str, ...]) -> bytes:
    """Change JSON in one place, or octets anywhere if they are not JSON."""
    try:
        value: Any = json.loads(octets)
    except (ValueError, RecursionError):
        return mutate(octets, MOST)
    if rng.random() < 0.05:
        return mutate(octets, MOST)
    if isinstance(value, dict) and rng.random() < 0.05:
        return _twice(octets, rng, words)
    try:
        return json.dumps(_changed(value, rng, mutate, words), separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # a number of too many digits, or too deep
        return mutate(octets, MOST)


def _twice(octets: bytes, rng: Random, words: tuple[str, ...]) -> bytes:
    """Put a member in front, which may be there a second time."""
    member = f"{json.dumps(rng.choice(words))}:{json.dumps(rng.choice(VALUES))}"
    before, brace, after = octets.partition(b"{")
    return before + brace + member.encode() + b"," + after


def _changed(value: Any, rng: Random, mutate: MutateOctets, words: tuple[str, ...]) -> Any:
    if rng.random() < 0.1:
        return _another(rng, words)
    if isinstance(value, dict):
        return _with_member({**value}, rng, mutate, words)
    if isinstance(value, list):
        return _with_item([*value], rng, mutate, words)
    if isinstance(value, str):
        return _text(value, rng, mutate, words)
    if isinstance(value, int | float) and rng.random() < 0.7:
        return value + rng.choice((-(10**6), -61, -1, 1, 61, 10**6))
    return _another(rng, words)


def _another(rng: Random, words: tuple[str, ...]) -> object:
    return rng.choice(VALUES) if rng.random() < 0.5 else rng.choice(words)


def _with_member(
    members: dict[str, Any], rng: Random, mutate: MutateOctets, words: tuple[str, ...]
) -> dict[str, Any]:
    choice = rng.random()
    if not members or choice < 0.2:
        members[rng.choice(words)] = _another(rng, words)
        return members
    name = rng.choice(list(members))
    if choice < 0.3:
        del members[name]
    elif choice < 0.35:
        members[rng.choice(words)] = members.pop(name)
    else:
        members[name] = _changed(members[name], rng, mutate, words)
    return members


def _with_item(
    items: list[Any], rng: Random, mutate: MutateOctets, words: tuple[str, ...]
) -> list[Any]:
    choice = rng.random()
    if not items or choice < 0.1:
        items.append(_another(rng, words))
        return items
    at = rng.randrange(len(items))
    if choice < 0.2:
        del items[at]
    elif choice < 0.35:
        items.insert(at, items[at])
    else:
        items[at] = _changed(items[at], rng, mutate, words)
    return items


def _text(text: str, rng: Random, mutate: MutateOctets, words: tuple[str, ...]) -> str:
    """Change a string: the octets that its base64url stands for, or its own, or a word of it."""
    choice = rng.random()
    decoded = _decoded(text.encode("utf-8", "surrogatepass"))
    if decoded and choice < 0.5:
        return b64url(mutate(decoded, MOST))
    if choice < 0.7:
        return rng.choice(words)
    changed = mutate(text.encode("utf-8", "surrogatepass"), MOST)
    return changed.decode("utf-8", "replace")


def plain_mutation(rng: Random) -> MutateOctets:
    """Return a mutation for when no engine is there: a few octets more, fewer or other."""

    def mutate(octets: bytes, limit: int) -> bytes:
        changed = bytearray(octets)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(changed) + 1)
            drop, put = rng.choice(((0, 1), (1, 1), (1, 0), (0, 4), (8, 0)))
            changed[at : at + drop] = rng.randbytes(put)
        return bytes(changed[:limit])

    return mutate
