"""Users of Django for the users of a provider, without a further table.

Issuer and subject are the only key: an e-mail address can be given to somebody else, and providers
let users choose one.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from oidc_core.model.claims import Identity

_LONGEST: Final = 150
_LONGEST_ADDRESS: Final = 254


def username_of(identity: Identity) -> str:
    """Return the name of a user: the same for an issuer and subject each time, and no other."""
    digest = sha256(f"{identity.issuer}\n{identity.subject}".encode()).hexdigest()
    return f"oidc_{digest[:40]}"


def user_of(identity: Identity, claims: Mapping[str, object]) -> Any | None:
    """Return the user of an issuer and subject, made at the first login.

    Names come from ``given_name`` and ``family_name``, and the address from an ``email`` that the
    provider verified.  Rights are never touched.

    An account with a password is refused: somebody may have registered it under this name before.

    Args:
        identity: issuer and subject.
        claims: the claims that the session keeps.
    """
    kind: Any = get_user_model()
    key = {kind.USERNAME_FIELD: username_of(identity)}
    user, _ = kind.objects.get_or_create(**key, defaults={"password": make_password(None)})
    if user.has_usable_password():
        return None
    held = _profile(kind, claims)
    changed = [name for name, value in held.items() if getattr(user, name, value) != value]
    for name in changed:
        setattr(user, name, held[name])
    if changed:
        user.save(update_fields=changed)
    return user


def _profile(kind: Any, claims: Mapping[str, object]) -> dict[str, str]:
    """Return the fields of a user that the claims fill."""
    names = {"given_name": "first_name", "family_name": "last_name"}
    held = {field: claims.get(name) for name, field in names.items()}
    found = {name: each[:_LONGEST] for name, each in held.items() if isinstance(each, str)}
    address = claims.get("email")
    if claims.get("email_verified") is True and isinstance(address, str):
        found |= {kind.get_email_field_name(): address} if len(address) <= _LONGEST_ADDRESS else {}
    return found
