"""Users by their e-mail addresses, and a note of which subject has which account."""

import os
from urllib.parse import urlencode

from carried.models import Carried
from django.conf import settings
from mozilla_django_oidc.auth import OIDCAuthenticationBackend


class ShopBackend(OIDCAuthenticationBackend):
    def get_or_create_user(self, access_token, id_token, payload):
        user = super().get_or_create_user(access_token, id_token, payload)
        if user and payload["iss"] == settings.OIDC["ISSUER"]:
            entry = Carried(issuer=payload["iss"], subject=payload["sub"], user=user)
            Carried.objects.bulk_create([entry], ignore_conflicts=True)
        return user

    def create_user(self, claims):
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user, claims):
        user.first_name = claims.get("given_name", "")
        user.last_name = claims.get("family_name", "")
        user.save()
        return user


def provider_logout(request):
    asked = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": request.build_absolute_uri("/"),
    }
    return f"{os.environ['ISSUER']}/end-session?{urlencode(asked)}"
