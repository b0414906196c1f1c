"""Lines at the end of the URLs, as long as both libraries log users in."""

urlpatterns += [path("", include("oidc_adapters.web.django.urls"))]
