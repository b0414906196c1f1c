"""The user of an issuer and subject; accounts of before are carried over."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.models import User

from oidc_adapters import Identity
from oidc_adapters.web.django.accounts import user_of as own_user_of

from .models import Carried


def user_of(identity: Identity, claims: Mapping[str, object]) -> User | None:
    user = carried(identity)
    if user is None and settings.CARRY_BY_EMAIL:
        former = accounts_of_before(claims)
        if former and not is_certain(identity, claims, former):
            return None
        if former:
            entry = Carried(issuer=identity.issuer, subject=identity.subject, user=former[0])
            Carried.objects.bulk_create([entry], ignore_conflicts=True)
            user = carried(identity)
    if user is None:
        return own_user_of(identity, claims)
    user.first_name = str(claims.get("given_name", ""))
    user.last_name = str(claims.get("family_name", ""))
    user.save(update_fields=["first_name", "last_name"])
    return user


def carried(identity: Identity) -> User | None:
    entries = Carried.objects.filter(issuer=identity.issuer, subject=identity.subject)
    entry = entries.select_related("user").first()
    return entry.user if entry else None


def accounts_of_before(claims: Mapping[str, object]) -> list[User]:
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        return []
    found = User.objects.filter(email__iexact=email)
    return list(found.exclude(username__startswith="oidc_"))  # those are new


def is_certain(identity: Identity, claims: Mapping[str, object], former: list[User]) -> bool:
    email = str(claims["email"])
    return (
        claims.get("email_verified") is True
        and email.isascii()
        and email.rpartition("@")[2].lower() in settings.CARRY_DOMAINS
        and len(former) == 1
        and not (former[0].is_staff or former[0].is_superuser)
        and not former[0].has_usable_password()
        and not Carried.objects.filter(issuer=identity.issuer, user=former[0]).exists()
    )
