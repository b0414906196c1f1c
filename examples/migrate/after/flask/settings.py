"""The settings of the application with oidc-core."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
OIDC_ISSUER = os.environ["ISSUER"]
OIDC_CLIENT_ID = os.environ["CLIENT_ID"]
OIDC_CLIENT_SECRET = os.environ["CLIENT_SECRET"]
OIDC_REDIRECT_URI = "http://localhost/callback"
OIDC_POST_LOGOUT_REDIRECT_URI = "http://localhost/logged-out"
OIDC_SCOPE = "openid profile email offline_access"
OIDC_LOGIN_BY_GET = True
