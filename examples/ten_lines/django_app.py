"""The views and URLs of a Django project with a page for users who are logged in.

The settings are in :mod:`oidc_adapters.web.django`.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.html import escape

from oidc_adapters.web.django import oidc_required, oidc_session


@oidc_required
def index(request: HttpRequest) -> HttpResponse:
    """Greet the user."""
    session = oidc_session(request)
    name = session.claims.get("name", "there") if session else "nobody"
    return HttpResponse(f"Hello {escape(name)}")


urlpatterns = [path("", index), path("", include("oidc_adapters.web.django.urls"))]
