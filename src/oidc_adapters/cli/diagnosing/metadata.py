"""The promises of the metadata and the needs of a login, judged by the rules of the core."""

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from oidc_adapters.cli.verdicts import Verdict, failure, judged
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.model.protection import protection_of
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.supported import auth_method_of, check_supported
from oidc_core.wire.errors import OidcError
from oidc_core.wire.messages import Fact

_DISCOVERY: Final = "OIDC Discovery §3"
_FLOW: Final = (
    ("response_types_supported", "it offers the authorization code flow", _DISCOVERY),
    ("grant_types_supported", "it exchanges authorization codes", _DISCOVERY),
    ("response_modes_supported", "it answers by query or form", _DISCOVERY),
    ("require_pushed_authorization_requests", "it takes requests in the URL", "RFC 9126 §5"),
    ("require_signed_request_object", "it takes requests that are not signed", "RFC 9101 §10.5"),
)
"""Members that may rule a login out: the name, the condition, and its specification."""

_LOGOUTS: Final = (
    ("end_session_endpoint", "it ends its session for a browser", "RP-Initiated Logout §2.1"),
    (
        "backchannel_logout_supported",
        "it tells servers when a session ends",
        "Back-Channel Logout §2.1",
    ),
    (
        "frontchannel_logout_supported",
        "it tells browsers when a session ends",
        "Front-Channel Logout §3",
    ),
    ("check_session_iframe", "a frame can watch its session", "Session Management §3.3"),
    ("revocation_endpoint", "it revokes tokens", "RFC 7009 §2"),
)
_SENT: Final = "client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, none"
_METHODS: Final = "token_endpoint_auth_methods_supported"
_SILENT: Final = "the metadata says nothing"


def metadata_verdicts(provider: ProviderMetadata) -> list[Verdict]:
    """Judge metadata member by member, each by the rule that a login would stop at."""
    return [
        _lacking(provider),
        _algorithms(provider),
        *[_of_flow(provider, *row) for row in _FLOW],
        _pkce(provider),
        _response_iss(provider),
        _authentication(provider),
        _userinfo(provider),
        _refresh(provider),
        *[_offered(provider, *row) for row in _LOGOUTS],
        *[_noted(note) for note in provider.notes],
    ]


def _alone(provider: ProviderMetadata, *members: str) -> ProviderMetadata:
    """Return metadata that has these members only, so that no other one is judged."""
    return evolve(
        ProviderMetadata(issuer=provider.issuer),
        **{name: getattr(provider, name) for name in members},
    )


def _suits(provider: ProviderMetadata, **client: Any) -> Callable[[], None]:
    """Return the core's check of whether a client can log in by these members."""
    registration = ClientRegistration(
        client_id="-", redirect_uris=("https://rp.example/callback",), **client
    )
    protection = protection_of(provider, registration, DEFAULT_POLICY)["id_token"]

    def check() -> None:
        check_supported(
            provider, registration, DEFAULT_POLICY, method="none", protection=protection
        )

    return check


def _of_flow(provider: ProviderMetadata, member: str, says: str, spec: str) -> Verdict:
    verdict = judged(member, says, spec, _suits(_alone(provider, member)))
    value: Fact = getattr(provider, member)
    if verdict.outcome == "passed" and isinstance(value, tuple):
        return evolve(verdict, found=value or None, reason="" if value else _SILENT)
    return verdict


def _lacking(provider: ProviderMetadata) -> Verdict:
    needed = ("authorization_endpoint", "token_endpoint")
    missing = tuple([name for name in needed if getattr(provider, name) is None])
    return Verdict(
        name="endpoints",
        says="it names the endpoints of a login",
        outcome="failed" if missing else "passed",
        spec=_DISCOVERY,
        code=f"unsupported_by_provider ({missing[0]})" if missing else "",
        found=tuple([name for name, _ in provider.endpoints]) if missing else None,
        expected=missing or None,
        hint="the metadata lacks them; metadata_overrides can name them" if missing else "",
    )


def _algorithms(provider: ProviderMetadata) -> Verdict:
    member = "id_token_signing_alg_values_supported"
    says, spec = "an algorithm of its ID tokens can be verified", "OIDC Core §3.1.3.7, 7"
    alone = evolve(_alone(provider, member), token_endpoint=provider.token_endpoint)
    verdict = judged("algorithms", says, spec, _suits(alone))
    if verdict.outcome == "failed":
        return verdict
    client = ClientRegistration(client_id="-")
    usable = sorted(protection_of(provider, client, DEFAULT_POLICY)["id_token"].algorithms)
    return evolve(verdict, found=tuple(usable))


def _pkce(provider: ProviderMetadata) -> Verdict:
    member = "code_challenge_methods_supported"
    says, spec = "it promises PKCE with S256", "RFC 9700 §2.1.1"
    verdict = judged("pkce", says, spec, _suits(_alone(provider, member)))
    named: tuple[str, ...] = getattr(provider, member)
    if verdict.outcome == "failed":
        return verdict
    if named:
        return evolve(verdict, found=named)
    hint = "the library sends a challenge all the same; nonce protects the login too"
    return evolve(verdict, outcome="warned", reason=_SILENT, hint=hint)


def _response_iss(provider: ProviderMetadata) -> Verdict:
    name, says, spec = "iss", "it names itself in its responses", "RFC 9207 §3"
    if provider.authorization_response_iss_parameter_supported:
        return Verdict(name=name, says=says, outcome="passed", spec=spec)
    return Verdict(
        name=name,
        says=says,
        outcome="skipped",
        spec=spec,
        reason="it does not announce that",
        hint="with several providers, give each a redirect URI with a separate path",
    )


def _authentication(provider: ProviderMetadata) -> Verdict:
    listed = provider.token_endpoint_auth_methods_supported
    says, spec = "a client can authenticate", "OIDC Core §9"
    client = ClientRegistration(client_id="-", token_endpoint_auth_method=None)
    chosen = next((m for m in listed if m in _SENT.split(", ")), "")
    try:
        chosen = auth_method_of(provider, client, None)
    except OidcError as refusal:
        if not chosen:
            return evolve(failure("authentication", says, refusal, spec=spec), expected=_SENT)
    return Verdict(
        name="authentication",
        says=says,
        outcome="passed",
        spec=spec,
        found=listed or None,
        reason="" if listed else f"{_SILENT}: {chosen}",
    )


def _userinfo(provider: ProviderMetadata) -> Verdict:
    return _offered(provider, "userinfo_endpoint", "it has UserInfo", "OIDC Core §5.3")


def _refresh(provider: ProviderMetadata) -> Verdict:
    grants, says = provider.grant_types_supported, "it refreshes tokens"
    outcome: Any = "passed" if "refresh_token" in grants else "skipped"
    silent = "the metadata does not name it" if grants else _SILENT
    offline = "offline_access" in provider.scopes_supported
    return Verdict(
        name="refresh",
        says=says,
        outcome=outcome,
        spec="OIDC Core §12",
        reason="" if outcome == "passed" else silent,
        hint="ask for the scope offline_access" if offline else "",
    )


def _offered(provider: ProviderMetadata, member: str, says: str, spec: str) -> Verdict:
    value: str | bool | None = getattr(provider, member)
    return Verdict(
        name=member,
        says=says,
        outcome="passed" if value else "skipped",
        spec=spec,
        found=value if isinstance(value, str) else None,
        reason="" if value else "it does not offer that" if value is False else _SILENT,
    )


def _noted(note: str) -> Verdict:
    return Verdict(
        name="metadata",
        says="each member of the metadata has its form",
        outcome="warned",
        spec=_DISCOVERY,
        found=note,
        hint="it counts as absent, as far as no decision depends on it",
    )
