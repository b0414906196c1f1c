"""Which claims the fake provider states: by scope, by request, in the ID token, in UserInfo."""

from oidc_adapters.testing.claims_request import Wanted
from oidc_adapters.testing.encryption import JweDraft, recipient_of
from oidc_adapters.testing.ledger import AccessToken, Grant
from oidc_adapters.testing.misbehaviours import Changes
from oidc_adapters.testing.parties import FakeClient, Members
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.signing import JwtDraft, SigningKey, half_hash, rendered

SCOPE_CLAIMS = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which claims a scope asks for (OIDC Core §5.4)."""


LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_LIFETIME = 120


def _draft(key: SigningKey, claims: Members, now: int, typ: str = "JWT") -> JwtDraft:
    header = {"alg": key.alg, "typ": typ}
    if key.kid is not None:
        header["kid"] = key.kid
    return JwtDraft(header=header, claims=claims, key=key, now=now)


def id_token_draft(
    state: ProviderState, grant: Grant, access_token: str, now: int, *, refreshing: bool
) -> JwtDraft:
    """Return the ID token to be signed (OIDC Core §2, §3.1.3.6; §12.2 for a refreshed one)."""
    client = _client(state, grant)
    alg = state.id_token_alg_of(client)
    claims: dict[str, object] = {
        "iss": state.issuer_for(grant.sub),
        "sub": grant.sub,
        "aud": client.client_id,
        "azp": client.client_id,
        "exp": now + state.token_lifetime,
        "iat": now,
        "auth_time": grant.auth_time,
        "acr": grant.acr,
        "sid": grant.sid,
        "at_hash": half_hash(alg if state.dialect.at_hash == "by_alg" else "RS256", access_token),
    }
    if grant.nonce is not None and not refreshing:
        claims["nonce"] = grant.nonce
    wanted = _about(state, grant.sub, state.always_stated, grant.claims.id_token)
    said = state.dialect.spoken("id_token", {**wanted, **claims})
    return _draft(state.signing_key(alg, client), said, now)


def userinfo_claims(state: ProviderState, token: AccessToken) -> Members:
    """Return what UserInfo says to the bearer of an access token (OIDC Core §5.3.2, §5.4)."""
    grant = token.family.grant
    by_scope = [name for scope in token.scope for name in SCOPE_CLAIMS.get(scope, ())]
    known = _about(state, grant.sub, (*state.always_stated, *by_scope), grant.claims.userinfo)
    return state.dialect.spoken("userinfo", {"sub": grant.sub, **known})


def userinfo_draft(
    state: ProviderState, grant: Grant, claims: Members, now: int
) -> JwtDraft | None:
    """Return signed UserInfo to be signed, or ``None`` if the client is owed plain JSON."""
    client = _client(state, grant)
    alg = state.userinfo_alg_of(client)
    if alg is None:
        return None
    stated = {
        "iss": state.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + state.token_lifetime,
        **claims,
    }
    return _draft(state.signing_key(alg, client), stated, now)


def logout_token_draft(
    state: ProviderState, client: FakeClient, sub: str | None, sid: str | None, now: int
) -> JwtDraft:
    """Return the logout token to be signed (OIDC Back-Channel Logout §2.4)."""
    claims: dict[str, object] = {
        "iss": state.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_LIFETIME,
        "jti": state.ledger.fresh("logout_jti"),
        "events": {LOGOUT_EVENT: {}},
    }
    named = {name: value for name, value in (("sub", sub), ("sid", sid)) if value is not None}
    key = state.signing_key(state.id_token_alg_of(client), client)
    return _draft(key, {**claims, **named}, now, "logout+jwt")


def sent_id_token(state: ProviderState, grant: Grant, signed: str, changes: Changes) -> str:
    """Return an ID token as it is sent: encrypted, if the client registered that."""
    return sent_as_id_token(state, _client(state, grant), signed, changes)


def sent_as_id_token(
    state: ProviderState, client: FakeClient, signed: str, changes: Changes
) -> str:
    """Return a token as ID tokens of the client are sent."""
    if client.id_token_encrypted_response_alg is None:
        return signed
    how = (client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc)
    return changes.encrypted(_jwe_draft(state, client, *how, signed))


def sent_userinfo(
    state: ProviderState, grant: Grant, said: Members | str, changes: Changes
) -> Members | str:
    """Return UserInfo as it is sent: encrypted, if the client registered that."""
    client = _client(state, grant)
    if client.userinfo_encrypted_response_alg is None:
        return said
    how = (client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc)
    return changes.encrypted(_jwe_draft(state, client, *how, said))


def _jwe_draft(
    state: ProviderState, client: FakeClient, alg: str, enc: str, said: Members | str
) -> JweDraft:
    """Return the draft to encrypt; in a JWT, the header repeats issuer and audience."""
    recipient = recipient_of(alg, enc, client.jwks, client.client_secret)
    header: dict[str, object] = {"alg": alg, "enc": enc}
    if isinstance(said, str):
        header.update({"cty": "JWT", "iss": state.issuer, "aud": client.client_id})
    if not isinstance(recipient, bytes) and "kid" in recipient:
        header["kid"] = recipient["kid"]
    return JweDraft(
        header=header,
        plaintext=said.encode("ascii") if isinstance(said, str) else rendered(dict(said)),
        recipient=recipient,
        alg=alg,
        enc=enc,
        seed=state.ledger.fresh("jwe"),
    )


def _client(state: ProviderState, grant: Grant) -> FakeClient:
    return next(one for one in state.clients if one.client_id == grant.client_id)


def _about(state: ProviderState, sub: str, names: tuple[str, ...], wanted: Wanted) -> Members:
    """Return what is known of a user: claims by name, and wanted ones whose value suits."""
    known = state.user(sub).claims
    suiting = [name for name, how in wanted.items() if name in known and how.admits(known[name])]
    return {name: known[name] for name in (*names, *suiting) if name in known}
