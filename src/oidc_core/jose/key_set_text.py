"""The text of a key set, read so that one odd key costs that key only.

A set is mostly one JSON document like any other, and is parsed as one. If a rule of
:mod:`oidc_core.wire.jsontypes` refuses it for a fault that may be in a single key, the text of
``keys`` is cut into its elements and each is parsed by itself. A fault in the syntax of JSON still
refuses the document: nobody can tell then where a key ends.
"""

import re
from typing import Final, NamedTuple, TypeAlias

from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import NESTED, JsonObject, parse_object
from oidc_core.wire.limits import Limits, excess

_OF_ONE_KEY: Final = frozenset(
    {
        "json_member_duplicated",
        "json_number_invalid",
        "json_string_invalid",
        "json_too_deep",
        "json_too_large",
    }
)
_NAME: Final = '"keys"'
_array: Final = re.compile(r"[ \t\n\r]*+:[ \t\n\r]*+\[").match
# A string may lack its end: it is taken whole even so, or each quote in it would be tried again.
_token: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL).finditer


_Element: TypeAlias = JsonObject | ProtocolViolation | None


class KeySetText(NamedTuple):
    """The content of a key set.

    Attributes:
        members: of the document, as far as it could be read.
        unread: why each element of ``keys`` that could not be read was refused.
    """

    members: JsonObject
    unread: tuple[ProtocolViolation, ...] = ()


def read_key_set(octets: bytes, limits: Limits) -> KeySetText:
    """Parse the document of a key set.

    Args:
        octets: the document; the caller has judged its size.
        limits: how many elements ``keys`` may have, and how many members an object.

    Raises:
        ProtocolViolation: ``jwks_invalid`` for too many elements; what
            :func:`~oidc_core.wire.jsontypes.parse_object` raises, unless it is the fault of
            elements of ``keys`` alone.
    """
    try:
        return KeySetText(parse_object(octets, members=limits.members))
    except ProtocolViolation as refusal:
        if refusal.code not in _OF_ONE_KEY:
            raise
        text = octets.decode("utf-8")  # it is UTF-8: other octets have other codes
        cut = _cut(text)
        if cut is None:
            raise
    rest, elements = cut
    members = parse_object(rest.encode(), members=limits.members, tolerant=True)
    if len(elements) > limits.keys:
        raise too_many_keys(len(elements), limits)
    read = _read(elements, limits)
    keys = tuple([each for each in read if not isinstance(each, ProtocolViolation)])
    unread = tuple([each for each in read if isinstance(each, ProtocolViolation)])
    return KeySetText(JsonObject({**members, "keys": keys}), unread)


def _read(texts: list[str], limits: Limits) -> list[_Element]:
    """Parse each element, within the number of arrays and objects that a document may have."""
    left, read = NESTED * limits.members, list[_Element]()
    for text in texts:
        element = _element(text, limits)
        if isinstance(element, JsonObject):
            left -= text.count("[") + text.count("{")
        if left < 0:
            element = ProtocolViolation("json_too_large", **excess("members", limits.members))
        read.append(element)
    return read


def too_many_keys(found: int, limits: Limits) -> ProtocolViolation:
    """Return the refusal of a set with more keys than the policy takes."""
    return ProtocolViolation("jwks_invalid", about="keys", **excess("keys", limits.keys, found))


def _element(text: str, limits: Limits) -> _Element:
    """Parse one element; any value that is not an object is not a key.

    A value in it that cannot be read costs the key only if a rule reads that member.
    """
    try:
        return parse_object(text.encode(), members=limits.members, tolerant=True)
    except ProtocolViolation as refusal:
        if refusal.code == "json_not_object":
            return None
        if refusal.code in _OF_ONE_KEY:
            return refusal
        raise


def _cut(text: str) -> tuple[str, list[str]] | None:
    """Cut the elements of ``keys`` out of a document; ``None`` if it has no such array.

    Brackets are only counted: that they match, each parser sees for itself.
    """
    depth, start = 0, 0
    for match in _token(text):
        token = match.group()
        if depth == 1 and token == _NAME:
            opening = _array(text, match.end())
            if opening is not None:
                start = opening.end()
                break
        depth += (token in "[{") - (token in "]}")
    if not start:
        return None
    depth, at, elements = 0, start, list[str]()
    for match in _token(text, start):
        token = match.group()
        if depth == 0 and token in ",]}":
            elements.append(text[at : match.start()])
            at = match.end()
            if token != ",":
                whole = [] if len(elements) == 1 and not elements[0].strip() else elements
                return text[:start] + text[match.start() :], whole
        depth += (token in "[{") - (token in "]}")
    return None
