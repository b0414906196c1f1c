"""One request of a browser to an application, and the answer: what the laws judge."""

from attrs import field, frozen

Headers = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class SentRequest:
    """A request as it reaches the application.

    Attributes:
        method: the method, in upper case.
        url: the absolute URL, without a fragment.
        headers: names in lower case, with their values.
        body: the octets of the body.
    """

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or an empty string."""
        return next((value for known, value in self.headers if known == name), "")


@frozen(kw_only=True)
class PageAnswer:
    """An answer of the application.

    Attributes:
        status: the HTTP status.
        headers: names in lower case, with their values, in order.
        body: the octets of the body.
        told: what the application wrote to the server's error stream, with the traceback of an
            exception that it let go.
    """

    status: int
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    told: str = field(default="", repr=False)

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a header, by its lower-case name."""
        return tuple([value for known, value in self.headers if known == name])

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next(iter(self.every(name)), "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        """Where a redirect leads, or an empty string for any other answer."""
        return self.header("location") if 300 <= self.status < 400 else ""


@frozen(kw_only=True)
class Visit:
    """A request and its answer, and the state of the world at that moment.

    Attributes:
        place: who asked: a browser with its tab, or a provider.
        request: the request.
        answer: the answer.
        navigates: whether a person sees the answer as a page.
        troubled: whether a provider or a store was down, hostile or out of step, so that a status
            of 502 to 504 is right.
    """

    place: str
    request: SentRequest
    answer: PageAnswer
    navigates: bool
    troubled: bool
