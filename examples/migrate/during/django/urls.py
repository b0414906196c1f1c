"""Lines at the end of the URLs, as long as both libraries log users in."""

from oidc_adapters.web.django import oidc_session


def index(request):
    action = "/logout" if oidc_session(request) else "/oidc/logout/"
    csrf = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    button = "<button>Log out</button>"
    return HttpResponse(f'<form method="post" action="{action}">{csrf}{button}</form>')


urlpatterns = [
    path("", index),
    *urlpatterns,
    path("", include("oidc_adapters.web.django.urls")),
]
