"""Lines at the end of the settings, as long as both libraries log users in."""

INSTALLED_APPS += ["oidc_adapters.web.django", "carried"]
MIDDLEWARE += ["oidc_adapters.web.django.middleware.OidcMiddleware"]
AUTHENTICATION_BACKENDS = [
    "oidc_adapters.web.django.backends.OidcBackend",  # first
    "accounts.ShopBackend",
]
OIDC = {
    "ISSUER": os.environ["ISSUER"],
    "CLIENT_ID": OIDC_RP_CLIENT_ID,
    "CLIENT_SECRET": OIDC_RP_CLIENT_SECRET,
    "REDIRECT_URI": "http://localhost/callback",
    "POST_LOGOUT_REDIRECT_URI": "http://localhost/logged-out",
    "SCOPE": "openid profile email offline_access",
    "LOGIN_BY_GET": True,
    "USER_OF": "carried.users.user_of",
}
CARRY_BY_EMAIL = True
CARRY_DOMAINS = ["op.example"]
