"""The fake provider's signing keys: made when first needed, kept for the process, rotated.

RSA keys take a while to make, so those of one seed are made once in a process.  Keys on curves are
derived from the seed.  Two providers of the same seed have the same keys: give them two seeds where
it matters that they differ.
"""

from functools import cache
from hashlib import shake_256
from typing import Final

from attrs import define
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.testing.signing import ALGORITHMS, CURVES, PrivateKey, SigningKey

RSA_BITS: Final = 2_048


@cache
def rsa_key(slot: str, bits: int = RSA_BITS) -> rsa.RSAPrivateKey:
    """Return the RSA key of that name, the same one throughout the process."""
    del slot  # it only tells keys apart
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def private_key(alg: str, slot: str) -> PrivateKey:
    """Return the private key of that name for an algorithm."""
    algorithm = ALGORITHMS[alg]
    name = f"{alg}:{slot}"
    if algorithm.family in {"RS", "PS"}:
        return rsa_key(name)
    if algorithm.family == "Ed":
        return Ed25519PrivateKey.from_private_bytes(shake_256(name.encode()).digest(32))
    # One octet less than the order has, so that the number is always below it.
    number = int.from_bytes(shake_256(name.encode()).digest(algorithm.width - 2), "big")
    return ec.derive_private_key(number + 1, CURVES[algorithm.crv])


@define(kw_only=True)
class KeyRing:
    """Keys by algorithm and generation.

    Attributes:
        seed: tells this provider's keys from another's.
        generation: the number of the keys that sign now.
        oldest: the number of the oldest keys that are still published.
    """

    seed: int
    generation: int = 1
    oldest: int = 1

    def signing_key(self, alg: str, generation: int | None = None) -> SigningKey:
        """Return the key that signs with ``alg`` now, or the one of a named generation."""
        number = self.generation if generation is None else generation
        kid = f"{alg.lower()}-{number}"
        return SigningKey(alg=alg, kid=kid, private=private_key(alg, f"{self.seed}:{number}"))

    def published(self, algs: tuple[str, ...]) -> tuple[SigningKey, ...]:
        """Return the keys of the key set, the current ones first."""
        numbers = range(self.generation, self.oldest - 1, -1)
        return tuple(self.signing_key(alg, number) for number in numbers for alg in algs)

    def rotate(self, *, keep_previous: bool) -> None:
        """Sign with new keys from now on, and withdraw the previous ones or keep them published."""
        self.oldest = self.generation if keep_previous else self.generation + 1
        self.generation += 1
