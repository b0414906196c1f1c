"""The witness that tells a login to a human: request, answer, checks made, one by one."""

from types import MappingProxyType
from typing import Final, NamedTuple

from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.message_parts import (
    Fact,
    answer_facts,
    answer_line,
    claim_facts,
    form_facts,
    request_facts,
)
from oidc_adapters.cli.recording import Recorded
from oidc_adapters.native.listener import ReceivedRequest
from oidc_core.model.evidence import Evidence
from oidc_core.model.policy import QUIRKS
from oidc_core.model.provider import ProviderMetadata
from oidc_core.operations.logged_in import LoggedIn

_DETAIL: Final = 7


class _Scene(NamedTuple):
    title: str
    way: str
    why: str


_SCENES: Final = MappingProxyType(
    {
        "discovery": _Scene(
            "Discovery", "client → provider", "Who is the provider, and where are its endpoints?"
        ),
        "authorization": _Scene(
            "Authorization", "browser → provider", "The user signs in, and agrees."
        ),
        "callback": _Scene("Callback", "browser → client", "The browser brings back a code."),
        "token": _Scene(
            "Tokens", "client → provider", "The code is exchanged for tokens, with the verifier."
        ),
        "key_set": _Scene(
            "Keys", "client → provider", "With which keys does the provider sign its ID tokens?"
        ),
        "userinfo": _Scene("UserInfo", "client → provider", "What else is known of the user?"),
        "refresh": _Scene(
            "Refresh", "client → provider", "The refresh token is exchanged for new tokens."
        ),
    }
)
_DISCOVERED: Final = (
    ("the issuer is exactly the one that is configured", "OIDC Discovery §4.3"),
    ("no endpoint is without TLS, except on loopback where allowed", "OIDC Discovery §3"),
)
_SUBJECTS: Final = MappingProxyType(
    {
        "authorization_response": "the authorization response",
        "id_token": "the ID token",
        "refreshed_id_token": "the refreshed ID token",
        "userinfo": "UserInfo",
    }
)


class Story:
    """Tells a login on a page, while it happens.

    Args:
        page: where it is told.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._scenes = 0
        self._passed = 0
        self._skipped = 0

    def opening(self, title: str, facts: tuple[Fact, ...]) -> None:
        """Say what is about to happen."""
        self._page.line(title, style="bold")
        self._page.line()
        self._page.facts(facts, indent=3)

    def exchange(self, name: str, recorded: Recorded) -> None:
        """Tell an exchange."""
        request, answer = recorded.request, recorded.answer
        self._scene(name, f", {recorded.milliseconds} ms")
        self._page.line(f"→ {request.method} {request.url.partition('?')[0]}", indent=3)
        self._page.facts(request_facts(request), indent=_DETAIL)
        self._page.line(f"← {answer_line(answer)}", indent=3)
        self._page.facts(answer_facts(name, answer), indent=_DETAIL)

    def discovered(self, _metadata: ProviderMetadata, /) -> None:
        """Tell that the provider is the one that was asked for."""
        self._heading("checks of the metadata")
        for says, spec in _DISCOVERED:
            self._passed += 1
            self._page.verdict("✓", says, spec, style="good")

    def arrived(self, arrival: ReceivedRequest) -> None:
        """Tell what the browser brought."""
        self._scene("callback", "")
        self._page.line(f"→ {arrival.method} {arrival.url}", indent=3)
        self._page.facts(form_facts(arrival.parameters), indent=_DETAIL)

    def accepted(self, evidence: Evidence) -> None:
        """Tell what was checked, and what did not apply."""
        subject = _SUBJECTS.get(evidence.of, evidence.of)
        signed = f", signed with {evidence.alg} by key {evidence.kid}" if evidence.alg else ""
        self._heading(f"checks of {subject}{signed}")
        for check in evidence.checks:
            if check.verdict == "passed":
                self._passed += 1
                self._page.verdict("✓", check.says, check.spec, style="good")
            else:
                self._skipped += 1
                says = f"{check.says} (skipped: {check.reason})"
                self._page.verdict("–", says, check.spec, style="dim")

    def closing(self, logged_in: LoggedIn) -> None:
        """Tell who logged in."""
        page, identity = self._page, logged_in.identity
        page.line()
        page.spread(f"Verified: {identity.subject}", f"at {identity.issuer}")
        page.line("All claims, those of the ID token and those of UserInfo:", indent=3, style="dim")
        page.facts(claim_facts(logged_in.claims), indent=_DETAIL)
        page.line()
        for relaxed in dict.fromkeys(
            name for one in logged_in.evidence.each for name in one.relaxations
        ):
            quirk = QUIRKS.get(relaxed)
            says = relaxed if quirk is None else f"{relaxed} ({quirk.relaxes})"
            page.verdict("!", f"relaxed: {says}", "", style="warn")
        for note in logged_in.notes:
            page.verdict("!", note, "", style="warn")
        page.line(f"{self._passed} checks passed, {self._skipped} did not apply.", indent=3)

    def _heading(self, text: str) -> None:
        self._page.line()
        self._page.line(text, indent=3, style="dim")

    def _scene(self, name: str, took: str) -> None:
        self._scenes += 1
        scene = _SCENES[name]
        self._page.line()
        self._page.spread(f"{self._scenes}  {scene.title}", scene.way + took)
        self._page.line(scene.why, indent=3, style="dim")
