"""The settings of the application with Authlib."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
OP_CLIENT_ID = os.environ["CLIENT_ID"]
OP_CLIENT_SECRET = os.environ["CLIENT_SECRET"]
OP_SERVER_METADATA_URL = f"{os.environ['ISSUER']}/.well-known/openid-configuration"
OP_API_BASE_URL = os.environ["API"]
OP_CLIENT_KWARGS = {
    "scope": "openid profile email offline_access",
    "code_challenge_method": "S256",
}
