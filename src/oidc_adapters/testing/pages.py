"""The fake provider's pages: small, readable, without anything from elsewhere.

Every text that came in is escaped, as a real provider must.
"""

from html import escape

from oidc_adapters.testing.parties import AuthorizationResponse, FakeClient, FakeUser

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;"
    "color:CanvasText;background:Canvas}"
    "fieldset{margin:0 0 1rem;padding:.5rem 1rem;border:1px solid;border-radius:.4rem}"
    "label{display:block;padding:.4rem 0}"
    "button{font:inherit;padding:.5rem 1rem;margin:.3rem .5rem .3rem 0}"
    "code{overflow-wrap:anywhere}"
)


def _page(title: str, body: str) -> bytes:
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body><main>{body}</main></body></html>\n"
    ).encode()


def form_post_page(callback: AuthorizationResponse) -> bytes:
    """Return the page that posts an authorization response by itself (Form Post Response Mode)."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in callback.parameters
    )
    form = (
        f'<form method="post" action="{escape(callback.redirect_uri)}">{fields}'
        "<noscript><button>Continue</button></noscript></form>"
        "<script>document.forms[0].submit()</script>"
    )
    return _page("Continue", form)


def login_page(action: str, client: FakeClient, scope: str, users: tuple[FakeUser, ...]) -> bytes:
    """Return the page on which somebody signs in and consents, or refuses.

    Args:
        action: where the form is posted: the authorization request's own URL.
        client: who asks.
        scope: the requested scopes.
        users: who can sign in.
    """
    choices = "".join(
        f'<label><input type="radio" name="user" value="{escape(user.sub)}"'
        f"{' checked' if number == 0 else ''}> {escape(user.sub)}</label>"
        for number, user in enumerate(users)
    )
    body = (
        "<h1>Sign in</h1>"
        f"<p><code>{escape(client.client_id)}</code> asks for <code>{escape(scope)}</code>.</p>"
        f'<form method="post" action="{escape(action)}">'
        f"<fieldset><legend>Who signs in?</legend>{choices}</fieldset>"
        '<button name="decision" value="approve">Sign in and allow</button>'
        '<button name="decision" value="deny">Refuse</button></form>'
        "<p>This provider is a fake one, for tests. It asks for no password.</p>"
    )
    return _page("Sign in", body)


def frames_page(urls: tuple[str, ...], goes_on: str | None) -> bytes:
    """Return the page that loads something of each client in a frame (Front-Channel Logout §3).

    Args:
        urls: what is loaded.
        goes_on: where the browser goes when all of it was loaded; ``None`` for nowhere.
    """
    frames = "".join(f'<iframe src="{escape(url)}" hidden></iframe>' for url in urls)
    text = "<h1>Signed out</h1><p>You are signed out at the fake provider.</p>"
    link = "" if goes_on is None else f'<a id="on" href="{escape(goes_on)}">Continue</a>'
    script = "<script>onload = () => document.getElementById('on').click()</script>"
    return _page("Signed out", text + frames + link + (script if link else ""))


def notice_page(title: str, text: str) -> bytes:
    """Return a page that says one thing."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")
