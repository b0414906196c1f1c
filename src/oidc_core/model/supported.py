"""The provider's metadata as a list of supported values, and the settings that it rules out.

It is looked at when client and metadata meet, and at the start of a login: nobody has to log in
first to hear that the login cannot work. A member that is absent rules nothing out, with every
default. A list that may be incomplete rules nothing out either: ``scopes_supported`` and
``claims_supported``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from oidc_core.jose.algorithms import HMAC
from oidc_core.model.client import REGISTERED, AuthMethod, ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.protection import Protection
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.errors import UsageError

_METHODS: Final = "token_endpoint_auth_methods_supported"
_ALGORITHMS: Final = "id_token_signing_alg_values_supported"
_CHALLENGES: Final = "code_challenge_methods_supported"
_DEFAULT_ALGORITHM: Final = "RS256"
_READABLE_MODES: Final = frozenset({"query", "form_post"})
_BY_SECRET: Final[tuple[AuthMethod, ...]] = ("client_secret_basic", "client_secret_post")
_ASSERTIONS: Final = frozenset({"client_secret_jwt", "private_key_jwt"})
_REQUIRED: Final = (
    ("require_pushed_authorization_requests", "pushed authorization requests"),
    ("require_signed_request_object", "signed request objects"),
)
_FLOW: Final = "this library uses the authorization code flow"
_CORRECTED: Final = "if only its metadata is wrong, correct it with metadata_overrides"


class _Wanted(NamedTuple):
    """The need of a client: the member, the value, and the setting it comes from."""

    member: str
    value: str | None
    setting: str


def check_supported(
    provider: ProviderMetadata,
    client: ClientRegistration,
    policy: Policy,
    *,
    method: AuthMethod,
    protection: Protection,
) -> None:
    """Refuse a client that the metadata rules out, before any user is sent to the provider.

    Args:
        provider: the metadata.
        client: the registration.
        policy: what is accepted.
        method: how the client authenticates.
        protection: how its ID tokens are protected.

    Raises:
        UsageError: ``unsupported_by_provider``, naming the member, what the client needs and what
            the metadata names; ``pkce_or_nonce_required``.
    """
    _check_pkce_or_nonce(provider, policy)
    for wanted in _wanted(client, method):
        check_named(provider, wanted.member, wanted.value, f"change {wanted.setting}")
    listed = provider.id_token_signing_alg_values_supported
    if not protection.algorithms and (listed or provider.endpoints):
        raise UsageError(
            "unsupported_by_provider",
            about=_ALGORITHMS,
            found=tuple(sorted(policy.algorithms)),
            expected=listed or (_DEFAULT_ALGORITHM,),
            hint="register id_token_signed_response_alg, or name the algorithm in the policy",
        )
    _check_logout(provider, client)
    if client.redirect_uris:  # otherwise it logs nobody in
        _check_login(provider, policy)


def _wanted(client: ClientRegistration, method: AuthMethod) -> Iterator[_Wanted]:
    """Return what was registered; a public client does not authenticate, so no list names it."""
    if method != "none":
        yield _Wanted(_METHODS, method, "token_endpoint_auth_method")
    if method in _ASSERTIONS:
        member = "token_endpoint_auth_signing_alg_values_supported"
        yield _Wanted(member, client.assertion_alg, "token_endpoint_auth_signing_alg")
    for kind in REGISTERED:
        alg, setting = client.signed_with(kind), f"{kind}_signed_response_alg"
        yield _Wanted(f"{kind}_signing_alg_values_supported", alg, setting)
        encryption, setting = client.encrypted_with(kind), f"{kind}_encrypted_response"
        if encryption is not None:
            member = f"{kind}_encryption"
            yield _Wanted(f"{member}_alg_values_supported", encryption.alg, f"{setting}_alg")
            yield _Wanted(f"{member}_enc_values_supported", encryption.enc, f"{setting}_enc")


def check_named(provider: ProviderMetadata, member: str, value: str | None, hint: str) -> None:
    """Refuse a value that a list of the metadata does not have; an empty list is an absent one.

    Raises:
        UsageError: ``unsupported_by_provider``.
    """
    listed: tuple[str, ...] = getattr(provider, member)
    if value and listed and value not in listed:
        raise UsageError(
            "unsupported_by_provider",
            about=member,
            found=value,
            expected=listed,
            hint=f"{hint}; {_CORRECTED}",
        )


def _check_logout(provider: ProviderMetadata, client: ClientRegistration) -> None:
    """Refuse to wait for the end of a session that the provider says it does not tell."""
    for channel in ("backchannel_logout", "frontchannel_logout"):
        if getattr(client, f"{channel}_uri") is None:
            continue
        needed = [(f"{channel}_supported", f"{channel}_uri")]
        if getattr(client, f"{channel}_session_required"):
            needed.append((f"{channel}_session_supported", f"{channel}_session_required"))
        for member, setting in needed:
            if getattr(provider, member) is False:
                hint = f"leave out {setting}; {_CORRECTED}"
                raise UsageError("unsupported_by_provider", about=member, found="false", hint=hint)


def _check_login(provider: ProviderMetadata, policy: Policy) -> None:
    """Refuse a provider at which no login by the authorization code flow could succeed."""
    check_named(provider, "response_types_supported", "code", _FLOW)
    check_named(provider, "grant_types_supported", "authorization_code", _FLOW)
    if not _READABLE_MODES.intersection(provider.response_modes_supported):
        hint = "this library reads query and form_post"
        check_named(provider, "response_modes_supported", "query", hint)
    challenges = provider.code_challenge_methods_supported
    if challenges and "S256" not in challenges and "omit_pkce" not in policy.quirks:
        raise UsageError(
            "unsupported_by_provider",
            about=_CHALLENGES,
            found="S256",
            expected=challenges,
            hint=f"see quirk omit_pkce; {_CORRECTED}",
        )
    for member, what in _REQUIRED:
        if getattr(provider, member):
            hint = f"this library sends no {what}; {_CORRECTED}"
            raise UsageError("unsupported_by_provider", about=member, found="true", hint=hint)


def _check_pkce_or_nonce(provider: ProviderMetadata, policy: Policy) -> None:
    """Refuse a login that nothing would bind to its code, once the metadata is there.

    A provider that does not know PKCE ignores the challenge, so without a nonce too an injected
    code would log the attacker's victim in.  Here alone an absent member counts as no.
    """
    known = provider.code_challenge_methods_supported
    if provider.authorization_endpoint is None or "S256" in known:
        return
    if "nonce_not_echoed" in policy.quirks:
        raise UsageError("pkce_or_nonce_required", found=known, expected="S256", about=_CHALLENGES)


def auth_method_of(
    provider: ProviderMetadata, client: ClientRegistration, before: AuthMethod | None
) -> AuthMethod:
    """Return how a client authenticates: as it is set, or as the metadata lets it send a secret.

    That is ``client_secret_basic`` where it is listed or where no method is listed, and
    ``client_secret_post`` where only that is listed.

    Args:
        provider: the metadata.
        client: the registration.
        before: what was chosen by the metadata before this one; it stays while it is listed.

    Raises:
        UsageError: ``unsupported_by_provider`` if neither is listed.
    """
    method = client.token_endpoint_auth_method
    if method is not None:
        return method
    listed = provider.token_endpoint_auth_methods_supported
    for choice in (before, *_BY_SECRET):
        if choice in _BY_SECRET and (not listed or choice in listed):
            return choice
    hint = f"set token_endpoint_auth_method, and give its credential; {_CORRECTED}"
    raise UsageError(
        "unsupported_by_provider", about=_METHODS, found=_BY_SECRET, expected=listed, hint=hint
    )


def unused_endpoints(client: ClientRegistration, policy: Policy) -> frozenset[str]:
    """Return the endpoints of a login that this client has no use for, by name."""
    algs = [client.id_token_signed_response_alg, client.userinfo_signed_response_alg]
    by_secret = algs[0] in HMAC and (algs[1] is None or algs[1] in HMAC)
    needless = {
        "authorization_endpoint": not client.redirect_uris,
        "userinfo_endpoint": policy.userinfo == "never",
        "jwks_uri": by_secret,
    }
    return frozenset([name for name, unused in needless.items() if unused])
