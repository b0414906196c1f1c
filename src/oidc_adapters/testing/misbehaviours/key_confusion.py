"""A provider, or a stranger, that wants a client to verify with the wrong key (RFC 8725 §2.1)."""

import json
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc_adapters.testing.misbehaviours import forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import SIGNATURES, Condition
from oidc_adapters.testing.signing import JwtDraft, SigningKey, b64url, public_pem, rendered

_ELSEWHERE: Final = "https://elsewhere.example/keys"
_HONEST: Final = "https://op.example/jwks"


def _row(
    name: str,
    code: str,
    summary: str,
    change: forgeries.JwtChange,
    *,
    when: Condition = SIGNATURES,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        changes=Changes(id_token=change),
        when=when,
    )


def _led_astray(
    name: str, summary: str, member: str, value: Callable[[SigningKey], object]
) -> Misbehaviour:
    change = forgeries.signed_by_stranger_with(member, value)
    return _row(name, "signature_invalid", f"has a stranger sign, {summary}", change)


def _certificate(key: SigningKey) -> str:
    """Return the octets where a certificate would be: the library must not read them at all."""
    return b64url(_der(key)).replace("-", "+").replace("_", "/")


def _der(key: SigningKey, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    if isinstance(key.private, bytes):
        return b""
    if form is PublicFormat.PKCS1 and "n" not in key.public_jwk():
        form = PublicFormat.SubjectPublicKeyInfo
    return key.private.public_key().public_bytes(Encoding.DER, form)


def _pem_body(key: SigningKey) -> bytes:
    return b"".join(public_pem(key).splitlines()[1:-1])


def _pkcs1_pem(key: SigningKey) -> bytes:
    body = b64url(_der(key, PublicFormat.PKCS1))
    return f"-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----\n".encode("ascii")


def _member(*names: str) -> Callable[[SigningKey], bytes]:
    """Return the first member of the public JWK that is there, as text."""

    def text(key: SigningKey) -> bytes:
        if isinstance(key.private, bytes):
            return b""
        jwk = key.public_jwk()
        return next((str(jwk[name]).encode("ascii") for name in names if name in jwk), b"")

    return text


def _jwk(key: SigningKey) -> bytes:
    return b"" if isinstance(key.private, bytes) else rendered(key.public_jwk())


def _spaced_jwk(key: SigningKey) -> bytes:
    return b"" if isinstance(key.private, bytes) else json.dumps(key.public_jwk()).encode("ascii")


_FORMS: Final[dict[str, tuple[str, Callable[[SigningKey], bytes]]]] = {
    "pem_without_end": ("its PEM without the last line feed", lambda key: public_pem(key).rstrip()),
    "pem_in_one_line": ("its PEM in one line", lambda key: public_pem(key).replace(b"\n", b"")),
    "pem_with_carriage_returns": (
        "its PEM with carriage returns",
        lambda key: public_pem(key).replace(b"\n", b"\r\n"),
    ),
    "pem_body": ("the body of its PEM", _pem_body),
    "pem_body_in_lines": (
        "the body of its PEM in lines",
        lambda key: b"\n".join(public_pem(key).splitlines()[1:-1]),
    ),
    "pkcs1_pem": ("its PEM as PKCS #1", _pkcs1_pem),
    "pkcs1_pem_without_end": (
        "its PEM as PKCS #1 without the last line feed",
        lambda key: _pkcs1_pem(key).rstrip(),
    ),
    "pkcs1_pem_in_one_line": (
        "its PEM as PKCS #1 in one line",
        lambda key: _pkcs1_pem(key).replace(b"\n", b""),
    ),
    "pkcs1_body": (
        "the body of its PKCS #1",
        lambda key: b64url(_der(key, PublicFormat.PKCS1)).encode("ascii"),
    ),
    "der": ("its DER", _der),
    "pkcs1_der": ("its DER as PKCS #1", lambda key: _der(key, PublicFormat.PKCS1)),
    "der_in_base64url": ("its DER in base64url", lambda key: b64url(_der(key)).encode("ascii")),
    "jwk": ("its JWK", _jwk),
    "jwk_with_spaces": ("its JWK with spaces", _spaced_jwk),
    "modulus": ("its modulus or point", _member("n", "x")),
    "exponent": ("its exponent or curve", _member("e", "crv")),
    "kty": ("the type of its key", _member("kty")),
    "alg": ("the name of its algorithm", _member("alg")),
    "kid": ("the name of its key", _member("kid")),
    "nothing": ("nothing", lambda _key: b""),
}
"""What everybody knows of the provider's key, by its name and in words."""

_HMAC: Final = tuple(
    [
        _row(
            f"hs256_with_{name}",
            "alg_not_allowed",
            f"takes {words} for an HMAC secret",
            forgeries.hmac_with(form),
        )
        for name, (words, form) in _FORMS.items()
    ]
)


def _oct(_key: SigningKey) -> object:
    return {"kty": "oct", "k": b64url(64 * b"s")}


def _embedded_secret(draft: JwtDraft) -> str:
    key = SigningKey(alg="HS256", kid=draft.key.kid, private=64 * b"s")
    return draft.signed_by(key).with_header(jwk=_oct(key)).signed()


_HEADER: Final = (
    _led_astray("embedded_key_by_uri", "and names a URL as key", "jwk", lambda _key: _ELSEWHERE),
    _led_astray("jku_of_stranger", "and names his key set", "jku", lambda _key: _ELSEWHERE),
    _led_astray(
        "jku_stranger_first",
        "and names his key set before the provider's",
        "jku",
        lambda _key: [_ELSEWHERE, _HONEST],
    ),
    _led_astray(
        "jku_stranger_last",
        "and names his key set behind the provider's",
        "jku",
        lambda _key: [_HONEST, _ELSEWHERE],
    ),
    _led_astray("x5u_of_stranger", "and names his certificate", "x5u", lambda _key: _ELSEWHERE),
    _led_astray(
        "x5c_of_stranger", "and sends his certificate", "x5c", lambda key: [_certificate(key)]
    ),
    _led_astray(
        "x5c_stranger_first",
        "and sends his certificate before another",
        "x5c",
        lambda key: [_certificate(key), "AAAA"],
    ),
    _led_astray(
        "x5c_stranger_last",
        "and sends his certificate behind another",
        "x5c",
        lambda key: ["AAAA", _certificate(key)],
    ),
    _led_astray("x5t_of_stranger", "and names his certificate by hash", "x5t", lambda _key: "AAAA"),
    _row(
        "kid_is_uri",
        "key_not_found",
        "has a stranger sign, and names a URL as kid",
        forgeries.signed_by_stranger_with("kid", lambda _key: _ELSEWHERE),
    ),
    _row(
        "kid_is_jwk",
        "key_not_found",
        "has a stranger sign, and names his key itself as kid",
        forgeries.signed_by_stranger_with("kid", lambda key: _jwk(key).decode("ascii")),
    ),
    _row(
        "kid_is_path",
        "key_not_found",
        "has a stranger sign, and names a file as kid",
        forgeries.signed_by_stranger_with("kid", lambda _key: "../../../dev/null"),
    ),
    _row(
        "embedded_secret",
        "alg_not_allowed",
        "sends an HMAC secret along with what it made with it",
        _embedded_secret,
    ),
)

ROWS: Final = (*_HMAC, *_HEADER)
