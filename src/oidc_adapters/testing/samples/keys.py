"""Keys and key sets by seed, as a provider publishes them: good, or with a fault of a name.

A key on a curve follows from its seed, in every process.  An RSA key is made once in a process.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, cast

from attrs import field, frozen

from oidc_adapters.testing.samples.sample import Sample
from oidc_adapters.testing.signing import ALGORITHMS, SigningKey, b64url, b64url_octets, rendered
from oidc_adapters.testing.signing_keys import private_key, rsa_key
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json
from oidc_core.wire.settings import check_fields, fields_of, json_object

NOTHING: Final = JsonObject({})
_RSA: Final = frozenset({"RS", "PS"})
_Jwk: TypeAlias = dict[str, object]
_Objects: TypeAlias = Sequence[Mapping[str, object]]

KEY_ALGS: Final = tuple([alg for alg, row in ALGORITHMS.items() if row.family != "HS"])
"""The algorithms of keys that are published."""


def changed(members: dict[str, object], changes: JsonObject) -> dict[str, object]:
    """Return members with others set, or left out where the change is ``None``."""
    found = {**members, **changes.plain()}
    return {name: value for name, value in found.items() if value is not None}


class KeyFault(NamedTuple):
    """A fault of one published key.

    Attributes:
        code: the code that a client refuses the key with.
        families: the families of algorithms whose keys can have it; empty for all.
        change: makes the JWK faulty.
    """

    code: str
    families: frozenset[str]
    change: Callable[[_Jwk], _Jwk]


def _cut(jwk: _Jwk) -> _Jwk:
    return {**jwk, "x": b64url(b64url_octets(str(jwk["x"]))[:-1])}


def _padded(jwk: _Jwk) -> _Jwk:
    return {**jwk, "x": f"{jwk['x']}=="}


def _off_the_curve(jwk: _Jwk) -> _Jwk:
    octets = bytearray(b64url_octets(str(jwk["y"])))
    octets[-1] ^= 1
    return {**jwk, "y": b64url(bytes(octets))}


def _small(jwk: _Jwk) -> _Jwk:
    weak = SigningKey(alg=str(jwk["alg"]), kid=None, private=rsa_key("sample", 1_024))
    return {**jwk, "n": weak.public_jwk()["n"]}


def _with(**members: object) -> Callable[[_Jwk], _Jwk]:
    return lambda jwk: {**jwk, **members}


_ALL: Final = frozenset[str]()
_CURVES: Final = frozenset({"ES", "Ed"})

KEY_FAULTS: Final = MappingProxyType(
    {
        "private": KeyFault("key_not_public", _ALL, _with(d="AQAB")),
        "symmetric": KeyFault("key_not_public", _ALL, _with(kty="oct")),
        "for_encryption": KeyFault("key_use_mismatch", _ALL, _with(use="enc")),
        "for_nothing": KeyFault("key_use_mismatch", _ALL, _with(key_ops=())),
        "padded": KeyFault("jwk_invalid", _CURVES, _padded),
        "cut": KeyFault("jwk_invalid", _CURVES, _cut),
        "off_the_curve": KeyFault("jwk_invalid", frozenset({"ES"}), _off_the_curve),
        "small_order": KeyFault(
            "key_weak", frozenset({"Ed"}), _with(x=b64url(b"\x01" + 31 * b"\x00"))
        ),
        "small": KeyFault("key_too_small", _RSA, _small),
        "exponent_one": KeyFault("jwk_invalid", _RSA, _with(e="AQ")),
    }
)
"""The faults of a published key, by name.  A private member holds a word in place of a key."""


def key_faults(alg: str) -> tuple[str, ...]:
    """Return the names of the faults that a key for an algorithm can have."""
    family = ALGORITHMS[alg].family
    return tuple([n for n, f in KEY_FAULTS.items() if not f.families or family in f.families])


def check_choice(value: str, choices: tuple[str, ...], about: str) -> None:
    """Refuse a name that is none of these.

    Raises:
        UsageError: ``config_invalid``, naming the argument.
    """
    if value not in choices:
        raise UsageError("config_invalid", about=about, found=value, expected=choices)


@frozen(kw_only=True, repr=False)
class SampleKey(Sample):
    """A signing key of the provider.

    Attributes:
        alg: the algorithm it signs with, one of :data:`KEY_ALGS`.
        seed: tells it from other keys of that algorithm.
        named: whether it is published with a ``kid``.
        members: changes to its JWK; ``None`` leaves a member out, as in ``{"use": None}``.
        fault: a name in :data:`KEY_FAULTS`; empty for a good key.
    """

    alg: str = "ES256"
    seed: int = 0
    named: bool = True
    members: JsonObject = field(default=NOTHING, converter=json_object)
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _KEY)
        check_choice(self.alg, KEY_ALGS, "alg")
        check_choice(self.fault, ("", *key_faults(self.alg)), "fault")
        if self.fault and not self.named:  # a key without a name is only passed over
            raise UsageError("config_invalid", about="named", expected="a name")

    @property
    def kid(self) -> str | None:
        """The name of the key, if it is published with one."""
        return f"{self.alg.lower()}-{self.seed}" if self.named else None

    @property
    def code(self) -> str:
        """The code that a client refuses the key with; empty for a good key."""
        return KEY_FAULTS[self.fault].code if self.fault else ""

    @property
    def signing_key(self) -> SigningKey:
        """The private key, which signs."""
        slot = f"sample:{self.seed}"
        is_rsa = ALGORITHMS[self.alg].family in _RSA
        private = rsa_key(slot) if is_rsa else private_key(self.alg, slot)
        return SigningKey(alg=self.alg, kid=self.kid, private=private)

    @property
    def jwk(self) -> dict[str, object]:
        """The members of the JWK that is published."""
        jwk = changed(self.signing_key.public_jwk(), self.members)
        return KEY_FAULTS[self.fault].change(jwk) if self.fault else jwk


_KEY: Final = fields_of(SampleKey)

SET_FAULTS: Final[MappingProxyType[str, tuple[str, JsonValue]]] = MappingProxyType(
    {
        "no_keys": ("jwks_invalid", NOTHING),
        "keys_in_object": ("jwks_invalid", frozen_json({"keys": {}})),
        "null": ("json_not_object", None),
        "array": ("json_not_object", ()),
    }
)
"""The faults of a whole key set, by name: its code, and the document in its place."""


def _keys(value: list[SampleKey] | tuple[SampleKey, ...]) -> tuple[SampleKey, ...]:
    return tuple(value) if isinstance(value, list) else value


def _others(value: _Objects) -> tuple[JsonObject, ...]:
    if not isinstance(cast("object", value), (list, tuple)):
        return cast("tuple[JsonObject, ...]", value)  # to be refused by its name
    return tuple([json_object(each) for each in value])


@frozen(kw_only=True, repr=False)
class SampleKeySet(Sample):
    """A key set of the provider.

    Attributes:
        keys: the keys in it.
        others: further members of ``keys`` that are for other clients, as keys of another ``kty``.
        fault: a name in :data:`SET_FAULTS`; empty for a good document.
    """

    keys: tuple[SampleKey, ...] = field(default=(SampleKey(),), converter=_keys)
    others: tuple[JsonObject, ...] = field(default=(), converter=_others)
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _SET)
        check_choice(self.fault, ("", *SET_FAULTS), "fault")

    @property
    def members(self) -> dict[str, object]:
        """The members of the document, if it has no fault."""
        return {
            "keys": [*[key.jwk for key in self.keys], *[other.plain() for other in self.others]]
        }

    @property
    def document(self) -> bytes:
        """The octets at the ``jwks_uri``."""
        if not self.fault:
            return rendered(self.members)
        held = SET_FAULTS[self.fault][1]
        return rendered(held.plain() if isinstance(held, JsonObject) else held)

    @property
    def code(self) -> str:
        """The code of the set, or of its first key that has one; empty if all keys serve."""
        if self.fault:
            return SET_FAULTS[self.fault][0]
        return next((key.code for key in self.keys if key.code), "")


_SET: Final = fields_of(SampleKeySet)
