"""Who is signed in at the fake provider when it answers, and how well (OIDC Core §3.1.2.3)."""

from attrs import evolve, frozen

from oidc_adapters.testing.authorization_request import AuthorizationRequest
from oidc_adapters.testing.claims_request import ClaimsRequest, WantedClaim
from oidc_adapters.testing.oauth_messages import OAuthError
from oidc_adapters.testing.parties import Session
from oidc_adapters.testing.provider_state import ACR_VALUES, ProviderState


@frozen(kw_only=True)
class SignIn:
    """The part of a request that is about the end-user.

    Attributes:
        state: the provider.
        request: what the client asks.
        claims: the claims that it asks for.
        now: the time at the provider.
    """

    state: ProviderState
    request: AuthorizationRequest
    claims: ClaimsRequest
    now: int

    def session(self, user: str | None, before: Session | None) -> Session:
        """Return the session to answer from: the browser's if it is good enough, or a new one.

        Args:
            user: who signs in if somebody has to; with ``None``, session and hints decide.
            before: the browser's session.

        Raises:
            OAuthError: somebody has to sign in, or to sign in better, and that cannot be.
            LookupError: no such user.
        """
        person = self._present(before) if user is None else user
        session = before
        if session is None or not self._is_enough(session, person):
            if "none" in self.request.prompts:
                raise OAuthError("login_required", "no user signed in recently")
            session = self._new(before, person)
        if "id_token_hint" in self.request.parameters and self._hinted() != session.sub:
            raise OAuthError("login_required", "the end-user is not the one of id_token_hint")
        if not self.claims.suits(session.sub):
            raise OAuthError("login_required", "the end-user is not the sub of claims")
        self._check_acr(session)
        return session

    def acr(self, session: Session) -> str:
        """Return the class to state: a wanted one that the session reaches, or its own.

        A session reaches its class and the weaker ones.
        """
        own = session.acr if session.acr in ACR_VALUES else ACR_VALUES[0]
        reached = ACR_VALUES[: ACR_VALUES.index(own) + 1]
        return next((acr for acr in self._wanted if acr in reached), own)

    @property
    def _wanted(self) -> tuple[str, ...]:
        """The classes that the client prefers (OIDC Core §3.1.2.1, §5.5.1.1)."""
        named = self.claims.id_token.get("acr", WantedClaim()).values
        return tuple([str(each) for each in named]) or tuple(self.request.words("acr_values"))

    @property
    def _possible(self) -> tuple[str, ...]:
        """Those of them that the provider has."""
        return tuple([acr for acr in self._wanted if acr in ACR_VALUES])

    def _hinted(self) -> str:
        """Return the user of ``id_token_hint``."""
        hinted = self.state.ledger.id_tokens.get(self.request.parameters.get("id_token_hint", ""))
        return "" if hinted is None else hinted.sub

    def _present(self, session: Session | None) -> str:
        """Return who is in front of the browser where no user is named.

        It is the user of the session, or the one that the client expects.  With ``select_account``
        the expected one comes first.
        """
        expected = (self._hinted(), self._named_by(self.request.parameters.get("login_hint")))
        at_session = "" if session is None else session.sub
        order = (at_session, *expected)
        if "select_account" in self.request.prompts:
            order = (*expected, at_session)
        return next((sub for sub in order if self.state.knows(sub)), self.state.users[0].sub)

    def _named_by(self, hint: str | None) -> str:
        """Return the user of a ``login_hint``: a subject, a name, an address or a number."""
        names = ("preferred_username", "email", "phone_number")
        if hint is None:
            return ""
        for user in self.state.users:
            if hint in (user.sub, *[user.claims.get(name) for name in names]):
                return user.sub
        return ""

    def _is_enough(self, session: Session, person: str) -> bool:
        """Return whether the client's wishes hold for the session, so that nobody signs in."""
        prompts, max_age = self.request.prompts, self.request.parameters.get("max_age")
        other = "select_account" in prompts and person != session.sub
        if not self.state.knows(session.sub) or other or "login" in prompts:
            return False
        # A max_age of 0 is the same as prompt=login (OIDC Core §3.1.2.1).
        if max_age is not None and not self.now - session.auth_time <= int(max_age) > 0:
            return False
        can_step_up = bool(self._possible) and "none" not in prompts
        return not can_step_up or self.acr(session) in self._possible

    def _new(self, before: Session | None, person: str) -> Session:
        """Sign a user in, as well as the client prefers; their own session keeps its name."""
        acr = next(iter(self._possible), ACR_VALUES[0])
        sub = self.state.user(person).sub
        if before is not None and before.sub == sub:
            return evolve(before, auth_time=self.now, acr=acr)
        sid = self.state.ledger.fresh("sid")
        return Session(sub=sub, auth_time=self.now, sid=sid, acr=acr)

    def _check_acr(self, session: Session) -> None:
        """Fail where an essential class is not reached (OIDC Core §5.5.1.1)."""
        wish = self.claims.id_token.get("acr", WantedClaim())
        if not wish.essential or wish.admits(self.acr(session)):
            return
        if self._possible:
            raise OAuthError("login_required", "the session does not reach an essential acr")
        raise OAuthError("unmet_authentication_requirements", "there is no such acr")
