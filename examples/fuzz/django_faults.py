"""Five mistakes that people make, planted in a Django project by its first middleware."""

import json
from collections.abc import Callable
from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

CALLBACK = "/callback"
View = Callable[[HttpRequest], HttpResponse]


class Planted:
    """The middleware; which mistake it makes is said from outside.

    Attributes:
        fault: the name of the mistake, or an empty string.
        kept: what it keeps on the server.
    """

    fault = ""
    kept: ClassVar[dict[str, str]] = {}

    def __init__(self, view: View) -> None:
        self._view = view

    @classmethod
    def plant(cls, fault: str) -> None:
        """Make another mistake from now on."""
        cls.fault = fault
        cls.kept = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, with the mistake if there is one."""
        mistakes = {
            "state not bound to the browser": self.unbound_state,
            "open redirect by next": self.open_redirect,
            "session kept across users": self.kept_session,
            "error page that leaks": self.telling_page,
            "endless restart": self.endless_restart,
        }
        return mistakes.get(self.fault, self._view)(request)

    def unbound_state(self, request: HttpRequest) -> HttpResponse:
        """Keep login cookies on the server, for browsers that lose them."""
        if request.path == CALLBACK:
            both = {**self.kept, **request.COOKIES}
            request.META["HTTP_COOKIE"] = "; ".join(map("=".join, both.items()))
        response = self._view(request)
        if request.path == "/login" and request.method == "POST":
            self.kept.update({name: each.value for name, each in response.cookies.items()})
        return response

    def open_redirect(self, request: HttpRequest) -> HttpResponse:
        """Go on to wherever a link says."""
        if "next" in request.GET:
            response = HttpResponse(status=302)
            response["Location"] = request.GET["next"]
            return response
        return self._view(request)

    def kept_session(self, request: HttpRequest) -> HttpResponse:
        """Remember the first user of a browser, in a cookie that no login and no logout ends."""
        if request.path != "/who":
            return self._view(request)
        if "first" in request.COOKIES:
            return JsonResponse(json.loads(request.COOKIES["first"]), safe=False)
        response = self._view(request)
        if isinstance(json.loads(response.content), list):
            response.set_cookie("first", response.content.decode(), secure=True)
        return response

    def telling_page(self, request: HttpRequest) -> HttpResponse:
        """Show the whole request on the page of an error, to make support easier."""
        response = self._view(request)
        if response.status_code >= 400:
            response.content += f"<p>{request.get_full_path()}</p>".encode()
        return response

    def endless_restart(self, request: HttpRequest) -> HttpResponse:
        """Start the login again whenever one fails; links start logins here."""
        response = self._view(request)
        failed = request.path == CALLBACK and response.status_code >= 400
        return HttpResponseRedirect("/login") if failed else response
