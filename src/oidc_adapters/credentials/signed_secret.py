"""A client secret that the client signs for itself, as Sign in with Apple demands."""

from typing import Final, NoReturn

from attrs import field, frozen

from oidc_adapters.credentials.client_keys import ABOUT, Signer
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.machine.credentials import encoded_header, signing_input
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.settings import check_fields, fields_of

_SIGNER: Final = FailsClosed(ABOUT)
_LONGEST: Final = 15_777_000
"""Seconds of six months: Apple takes no secret that lives longer."""


@frozen(kw_only=True)
class SignedSecret:
    """A client secret made of a key: each call signs a new one.

    It is a ``client_secret``, and not an assertion: the provider takes it with
    ``client_secret_post``.  Where a provider documents ``private_key_jwt``, use ``client_keys``.

    Attributes:
        key: signs; its ``kid`` is the name that the provider gave it.
        iss: who signs: at Apple the Team ID.
        sub: the client: at Apple the Services ID.
        aud: who the secret is for: the provider's issuer.
        lifetime: seconds for which a secret is good.
        clock: tells the time.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
    """

    key: Signer = field(repr=False)
    iss: str
    sub: str
    aud: str
    lifetime: int = 300
    clock: Clock = field(factory=SystemClock)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        for name in ("iss", "sub", "aud"):
            if not getattr(self, name):
                raise UsageError("config_invalid", about=name, expected="text")
        if not 0 < self.lifetime <= _LONGEST:
            expected = f"1..{_LONGEST}"
            raise UsageError(
                "config_invalid", about="lifetime", found=self.lifetime, expected=expected
            )

    def __call__(self) -> str:
        """Return a secret that is good from now on."""
        now = self.clock.now()
        claims = {"iss": self.iss, "sub": self.sub, "aud": self.aud}
        payload = render(JsonObject({**claims, "iat": now, "exp": now + self.lifetime}))
        with _SIGNER:
            header = encoded_header({"alg": self.key.alg, "kid": self.key.kid})
            octets = signing_input(header, payload)
            signature = b64url_encode(self.key.sign(octets))
        return f"{octets.decode('ascii')}.{signature}"

    def __reduce__(self) -> NoReturn:
        message = "a private key is not pickled"
        raise TypeError(message)


_FIELDS: Final = fields_of(SignedSecret)
