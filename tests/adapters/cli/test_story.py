"""The story of a login, read as a whole."""

import re
from io import StringIO

from attrs import evolve

from oidc_adapters.cli.fake_login import fake_login
from oidc_adapters.cli.layout import WIDTH, Page
from oidc_adapters.cli.story import Story
from oidc_core.model.evidence import RuleTable
from oidc_core.operations.logged_in import LoggedIn

from .worlds import Stage, Terminal


def told(out: StringIO) -> str:
    story = Story(Page(out, {}))
    story.opening("A login", (("who", "somebody"),))
    story.closing(fake_login(None, Stage().world, story))
    return out.getvalue()


def test_each_exchange_is_told_in_order() -> None:
    text = told(StringIO())

    titles = re.findall(r"^\d  (\w+) ", text, re.MULTILINE)
    assert titles == ["Discovery", "Authorization", "Callback", "Tokens", "Keys", "UserInfo"]
    assert text.startswith("A login\n\n   who  somebody\n")
    assert "Verified: alice" in text
    assert "email_verified      true" in text


def test_requests_answers_and_checks_are_told() -> None:
    text = told(StringIO())

    assert re.search(r"→ POST http://127\.0\.0\.1:\d+/token\n", text)
    assert "← 303 See Other\n" in text
    assert re.search(r"✓ it belongs to this login +OIDC Core §3\.1\.3\.7, 11\n", text)
    assert "– it is valid already (skipped: absent)" in text
    assert "checks of the ID token, signed with RS256 by key rs256-1\n" in text
    assert "! relaxed: insecure_allow_http_loopback" in text


def test_the_checks_are_counted() -> None:
    text = told(StringIO())

    passed, skipped = text.count("   ✓ "), text.count("   – ")
    assert text.endswith(f"   {passed} checks passed, {skipped} did not apply.\n")


def test_it_fits_into_a_terminal() -> None:
    assert max(map(len, told(StringIO()).splitlines())) <= WIDTH


def test_only_a_terminal_gets_colours() -> None:
    assert "\x1b[" in told(Terminal())
    assert "\x1b" not in told(StringIO())


def test_notes_are_told() -> None:
    out = StringIO()
    stage = Stage()
    story = Story(Page(out, {}))
    logged_in = fake_login(None, stage.world, story)

    story.closing(_with_note(logged_in))

    assert "   ! userinfo: http_status_unexpected\n" in out.getvalue()


def test_origins_that_the_policy_names_are_told() -> None:
    out = StringIO()
    stage = Stage()
    story = Story(Page(out, {}))
    logged_in = fake_login(None, stage.world, story)
    evidence = logged_in.id_token_evidence
    terms = evidence.terms._replace(relaxations=("named_origins https://keys.example:443",))

    story.closing(evolve(logged_in, id_token_evidence=evolve(evidence, terms=terms)))

    assert "! relaxed: named_origins https://keys.example:443\n" in out.getvalue()


def _with_note(logged_in: LoggedIn) -> LoggedIn:
    return evolve(logged_in, notes=("userinfo: http_status_unexpected",))


def test_an_unknown_subject_is_named_as_it_is() -> None:
    out = StringIO()
    story = Story(Page(StringIO(), {}))
    evidence = fake_login(None, Stage().world, story).evidence.authorization_response
    assert evidence is not None

    Story(Page(out, {})).accepted(
        evolve(evidence, table=RuleTable("logout_token", ()), outcomes=())
    )

    assert "checks of logout_token\n" in out.getvalue()
