"""The authorization endpoint: a browser arrives with a request (OIDC Core §3.1.2)."""

from oidc_adapters.testing.authorization_request import AuthorizationRequest, check_request
from oidc_adapters.testing.claims_request import claims_request
from oidc_adapters.testing.ledger import Family, Grant, IssuedCode
from oidc_adapters.testing.oauth_messages import OAuthError
from oidc_adapters.testing.parties import AuthorizationResponse, Session
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.session_management import browser_state, session_state
from oidc_adapters.testing.sign_in import SignIn


def callback(
    state: ProviderState,
    request: AuthorizationRequest,
    now: int,
    *,
    user: str | None,
    approve: bool,
    session: Session | None,
) -> AuthorizationResponse:
    """Decide on a request and answer it, with a code or with an error."""
    there = session
    try:
        check_request(state, request)
        claims = claims_request(request.parameters.get("claims", "{}"))
        sign_in = SignIn(state=state, request=request, claims=claims, now=now)
        there = sign_in.session(user, session)
        _check_consent(request, approve=approve)
        answer = _granted(sign_in, there)
    except OAuthError as error:
        answer = {"error": error.error, "error_description": error.error_description}
    if "state" in request.parameters:
        answer["state"] = request.parameters["state"]
    if state.says_iss and ("code" in answer or state.dialect.iss_on_errors):
        answer["iss"] = state.issuer
    honest = AuthorizationResponse(
        redirect_uri=request.parameters["redirect_uri"],
        mode=request.mode,
        parameters=tuple(answer.items()),
        session=there,
    )
    return state.changes("authorization").callback(honest)


def _check_consent(request: AuthorizationRequest, *, approve: bool) -> None:
    """Ask the end-user, unless the client forbade it (OIDC Core §3.1.2.4, §3.1.2.6)."""
    if approve:
        return
    if "none" in request.prompts:
        raise OAuthError("consent_required", "the end-user has to consent")
    raise OAuthError("access_denied", "the end-user refused")


def _granted(sign_in: SignIn, session: Session) -> dict[str, str]:
    """Issue a code for the request, and return the parameters of the answer."""
    state, request = sign_in.state, sign_in.request
    parameters = request.parameters
    grant = Grant(
        client_id=request.client.client_id,
        redirect_uri=parameters["redirect_uri"],
        scope=_scope(state, request),
        sub=session.sub,
        sid=session.sid,
        auth_time=session.auth_time,
        acr=sign_in.acr(session),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge", ""),
        claims=sign_in.claims,
    )
    code = state.dialect.lengthened(state.ledger.fresh("code"))
    until = sign_in.now + state.code_lifetime
    issued = IssuedCode(family=Family(grant=grant), expires_at=until)
    state.ledger.keep_code(code, issued)
    if not state.has_session_state:
        return {"code": code}
    return {"code": code, "session_state": _session_state(state, request, session)}


def _session_state(state: ProviderState, request: AuthorizationRequest, session: Session) -> str:
    return session_state(
        request.client.client_id,
        request.parameters["redirect_uri"],
        browser_state(session.sid),
        state.ledger.fresh("salt"),
    )


def _scope(state: ProviderState, request: AuthorizationRequest) -> tuple[str, ...]:
    """Return what is granted: some providers need consent for offline access (OIDC Core §11)."""
    asked = dict.fromkeys(request.words("scope"))
    if state.offline_rule == "with_consent" and "consent" not in request.prompts:
        asked.pop("offline_access", None)
    offline = request.parameters.get("access_type") == "offline" and "consent" in request.prompts
    if state.offline_rule == "access_type" and offline:
        asked["offline_access"] = None
    return tuple(asked)
