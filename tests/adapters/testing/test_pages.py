"""The fake provider's pages."""

from html.parser import HTMLParser

from oidc_adapters.testing import AuthorizationResponse, FakeClient, FakeUser
from oidc_adapters.testing.pages import form_post_page, frames_page, login_page, notice_page

NASTY = "\"'><script>alert(1)</script>&amp;"


class Reader(HTMLParser):
    """Collects tags with their attributes, as a browser sees them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag == name]


def test_a_form_carries_the_response_whatever_it_holds() -> None:
    callback = AuthorizationResponse(
        redirect_uri="https://rp.example/?a=1&b=2",
        mode="form_post",
        parameters=(("code", NASTY), (NASTY, "x")),
        session=None,
    )

    page = Reader(form_post_page(callback))

    assert page.tags("form") == [{"method": "post", "action": callback.redirect_uri}]
    fields = [(one["name"], one["value"]) for one in page.tags("input")]
    assert tuple(fields) == callback.parameters
    assert len(page.tags("script")) == 1


def test_the_login_page_offers_every_user() -> None:
    users = (FakeUser(sub="alice"), FakeUser(sub=NASTY))

    page = Reader(login_page(NASTY, FakeClient(client_id=NASTY), NASTY, users))

    assert [one["value"] for one in page.tags("input")] == ["alice", NASTY]
    assert ["checked" in one for one in page.tags("input")] == [True, False]
    assert [one["value"] for one in page.tags("button")] == ["approve", "deny"]
    assert page.tags("form")[0]["action"] == NASTY
    assert page.tags("script") == []


def test_each_client_is_told_in_a_frame_and_then_the_browser_goes_on() -> None:
    page = Reader(frames_page((NASTY, "https://rp.example/a?b&c"), NASTY))
    assert [one["src"] for one in page.tags("iframe")] == [NASTY, "https://rp.example/a?b&c"]
    assert [one["href"] for one in page.tags("a")] == [NASTY]
    assert len(page.tags("script")) == 1

    page = Reader(frames_page(("https://rp.example/",), None))
    assert (page.tags("a"), page.tags("script")) == ([], [])


def test_a_notice_is_text() -> None:
    page = Reader(notice_page(NASTY, NASTY))

    assert page.tags("script") == []
    assert page.text.count(NASTY) == 3
