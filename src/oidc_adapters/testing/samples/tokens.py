"""Signed tokens by seed: ID tokens, logout tokens and UserInfo, good or with a fault of a name."""

from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.claims import LOGOUT_EVENT
from oidc_adapters.testing.encryption import (
    ENCRYPTION_ALGS,
    ENCRYPTION_ENCS,
    JweDraft,
    recipient_of,
)
from oidc_adapters.testing.misbehaviours import HONEST, Changes
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.samples.keys import NOTHING, SampleKey, changed, check_choice
from oidc_adapters.testing.samples.parties import (
    ACR,
    CLIENT_ID,
    ISSUER,
    NOW,
    SUB,
    TokenKind,
    client_secret,
    decryption_key,
    login_secrets,
    named_secret,
)
from oidc_adapters.testing.samples.sample import Sample
from oidc_adapters.testing.samples.token_faults import (
    ENCRYPTION,
    TOKEN_FAULTS,
    token_faults,
)
from oidc_adapters.testing.signing import ALGORITHMS, JwtDraft, SigningKey, half_hash
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_fields, fields_of, json_object

_TYPES: Final = {"id_token": "JWT", "logout_token": "logout+jwt", "userinfo": "JWT"}


@frozen(kw_only=True, repr=False)
class SignedToken(Sample):
    """A token of the provider for the client, issued for a login.

    Attributes:
        kind: ``id_token``, ``logout_token`` or ``userinfo``.
        alg: the algorithm of its signature, which the client registered.
        key_seed: the seed of the provider's key, and of the client's secret and private key.
        key_named: whether the key is published, and named in the header, with a ``kid``.
        login_seed: the seed of the login: of its nonce and its access token.
        age: for how many seconds it has existed; negative if the provider's clock is ahead.
        lifetime: seconds from when it was issued to when it expires.
        claims: changes to its claims; ``None`` leaves a claim out, as in ``{"acr": None}``.
        header: changes to its header.
        encryption: the pair of ``alg`` and ``enc`` that it is encrypted with, or ``None``.
        fault: the name of a misbehaviour that :func:`token_faults` returns; empty for a good token.
    """

    kind: TokenKind = "id_token"
    alg: str = "ES256"
    key_seed: int = 0
    key_named: bool = True
    login_seed: int = 0
    age: int = 0
    lifetime: int = 300
    claims: JsonObject = field(default=NOTHING, converter=json_object)
    header: JsonObject = field(default=NOTHING, converter=json_object)
    encryption: tuple[str, str] | None = None
    fault: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _TOKEN)
        check_choice(self.alg, tuple(ALGORITHMS), "alg")
        if self.encryption is not None:
            check_choice(self.encryption[0], ENCRYPTION_ALGS, "encryption")
            check_choice(self.encryption[1], ENCRYPTION_ENCS, "encryption")
        check_choice(self.fault, ("", *self._faults()), "fault")

    def _faults(self) -> tuple[str, ...]:
        """Return the faults that it can have; only one kind of encryption has faults."""
        if self.encryption not in {None, ENCRYPTION}:
            return ()
        encrypted = self.encryption is not None
        return token_faults(self.kind, self.alg, encrypted=encrypted, named=self.key_named)

    @property
    def code(self) -> str:
        """The code that a client refuses it with; empty for a good token."""
        return TOKEN_FAULTS[self.kind][self.fault].code if self.fault else ""

    @property
    def needs(self) -> str:
        """The demand without which no client would refuse the fault; empty for most faults."""
        return TOKEN_FAULTS[self.kind][self.fault].needs if self.fault else ""

    @property
    def nonce(self) -> str:
        """The nonce of the login."""
        return login_secrets(self.login_seed).nonce

    @property
    def access_token(self) -> str:
        """The access token that came along."""
        return named_secret("access", self.login_seed)

    @property
    def key(self) -> SampleKey | None:
        """The published key that signed it; ``None`` if that is the client's secret."""
        if ALGORITHMS[self.alg].family == "HS":
            return None
        return SampleKey(alg=self.alg, seed=self.key_seed, named=self.key_named)

    @property
    def published(self) -> Members:
        """The members of the provider's key set, as far as it belongs to this token."""
        keys = [] if self.key is None else [self.key.jwk]
        return self._changes.key_set({"keys": keys})

    @property
    def draft(self) -> JwtDraft:
        """The token before the fault, if it has one, and before it is signed."""
        key = self._signing_key
        header: dict[str, object] = {"alg": key.alg, "typ": _TYPES[self.kind]}
        if key.kid is not None:
            header["kid"] = key.kid
        return JwtDraft(
            header=changed(header, self.header),
            claims=changed(self._claims(), self.claims),
            key=key,
            now=NOW,
        )

    @property
    def signed(self) -> str:
        """The token as it is signed, before it is encrypted."""
        draft = self.draft
        if self.kind == "logout_token":
            return self._changes.logout_token(draft)
        if self.kind == "userinfo":
            return self._changes.userinfo_jwt(draft)
        return self._changes.id_token(draft)

    @property
    def text(self) -> str:
        """The token as it is sent."""
        if self.encryption is None:
            return self.signed
        alg, enc = self.encryption
        key = decryption_key(self.key_seed)
        jwks = ({**key.public_jwk()},)
        recipient = recipient_of(alg, enc, jwks, client_secret(self.key_seed))
        header: dict[str, object] = {"alg": alg, "enc": enc, "cty": "JWT"}
        if not isinstance(recipient, bytes):
            header["kid"] = key.kid
        draft = JweDraft(
            header=header,
            plaintext=self.signed.encode("ascii"),
            recipient=recipient,
            alg=alg,
            enc=enc,
            seed=f"sample:{self.login_seed}",
        )
        return self._changes.encrypted(draft)

    @property
    def _changes(self) -> Changes:
        return TOKEN_FAULTS[self.kind][self.fault].changes if self.fault else HONEST

    @property
    def _signing_key(self) -> SigningKey:
        if self.key is not None:
            return self.key.signing_key
        return SigningKey(alg=self.alg, kid=None, private=client_secret(self.key_seed).encode())

    def _claims(self) -> dict[str, object]:
        issued = NOW - self.age
        shared: dict[str, object] = {
            "iss": ISSUER,
            "sub": SUB,
            "aud": CLIENT_ID,
            "iat": issued,
            "exp": issued + self.lifetime,
        }
        if self.kind == "userinfo":
            return {**shared, "email": "alice@op.example"}
        if self.kind == "logout_token":
            jti = named_secret("logout", self.login_seed)
            return {**shared, "jti": jti, "events": {LOGOUT_EVENT: {}}}
        return {
            **shared,
            "nonce": self.nonce,
            "at_hash": half_hash(self.alg, self.access_token),
            "auth_time": issued,
            "acr": ACR,
        }


_TOKEN: Final = fields_of(SignedToken)
