"""The URLs and views of the Django project to fuzz."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.html import escape

from oidc_adapters.web.django import oidc_required, oidc_session, oidc_tokens


@oidc_required
def index(request: HttpRequest) -> HttpResponse:
    """Greet the user."""
    session = oidc_session(request)
    name = session.claims.get("name", "you") if session else "nobody"
    return HttpResponse(f"Hello {escape(name)}")


@oidc_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Use fresh tokens."""
    return HttpResponse(escape(" ".join(oidc_tokens(request).fresh().scope)))


def who(request: HttpRequest) -> JsonResponse:
    """Say who is signed in."""
    session = oidc_session(request)
    told = None if session is None else [session.identity.issuer, session.identity.subject]
    return JsonResponse(told, safe=False)


def form_is_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show a way on where a form is older than the newest login: Django's own page has no link."""
    del request, reason
    return HttpResponse('This form is too old. <a href="/">Go to the start page</a>', status=403)


urlpatterns = [
    path("", index),
    path("tokens", tokens),
    path("who", who),
    path("", include("oidc_adapters.web.django.urls")),
]
