"""Users by their e-mail addresses, as mozilla-django-oidc finds them."""

import os
from urllib.parse import urlencode

from mozilla_django_oidc.auth import OIDCAuthenticationBackend


class ShopBackend(OIDCAuthenticationBackend):
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
