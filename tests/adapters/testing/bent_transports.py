"""Transports that neglect a duty, each made of the good one."""

from __future__ import annotations

import gzip
import os
import time
from typing import Any

from attrs import evolve

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.testing import TRANSPORT_DUTIES, TransportSetup
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.way import Channel

DUTY_OF = {duty.name: duty for duty in TRANSPORT_DUTIES}
Answer = HttpResponse | NoAnswer


def good(setup: TransportSetup, **changed: Any) -> Urllib3Transport:
    settings: dict[str, Any] = {
        "ca": setup.ca,
        "client_certificate": setup.client_certificate,
        "proxy": setup.proxy,
    }
    return Urllib3Transport(**{**settings, **changed})


class Bent:
    """A transport that changes requests, or answers, or both."""

    def __init__(self, setup: TransportSetup) -> None:
        self.inner = good(setup)
        self.judges_addresses = self.inner.judges_addresses

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        return self.returned(self.inner.send(self.sent(request), clock))

    def sent(self, request: WireRequest) -> WireRequest:
        return request

    def returned(self, answer: Answer) -> Answer:
        return answer

    def close(self) -> None:
        self.inner.close()


class Late(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, deadline=request.deadline + 1.2)


class Hasty(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, deadline=0.001)


class Greedy(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, max_body=request.max_body + 1)


class Modest(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, max_body=request.max_body - 1)


class Unsure(Bent):
    def returned(self, answer: Answer) -> Answer:
        return evolve(answer, sent="maybe") if isinstance(answer, NoAnswer) else answer


class TooSure(Bent):
    def returned(self, answer: Answer) -> Answer:
        return evolve(answer, sent="no") if isinstance(answer, NoAnswer) else answer


class Curt(Bent):
    def returned(self, answer: Answer) -> Answer:
        return evolve(answer, cause="") if isinstance(answer, NoAnswer) else answer


class TakesAnything(Bent):
    def returned(self, answer: Answer) -> Answer:
        return HttpResponse(200, (), b"{}", answer.at) if isinstance(answer, NoAnswer) else answer


class AddsHeader(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, headers=(*request.headers, ("x-powered-by", "me")))


class LosesQuery(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, url=request.url.partition("?")[0])


class Swallows(Bent):
    def send(self, request: WireRequest, clock: Clock) -> Answer:
        try:
            return super().send(request, clock)
        except UsageError:
            return NoAnswer("no", "http_connect_failed", clock.now())


class Follows(Bent):
    def send(self, request: WireRequest, clock: Clock) -> Answer:
        answer = super().send(request, clock)
        place = answer.header("location") if isinstance(answer, HttpResponse) else None
        return answer if place is None else super().send(evolve(request, url=place), clock)


class OnlyGoodNews(Bent):
    def returned(self, answer: Answer) -> Answer:
        if isinstance(answer, HttpResponse) and answer.status >= 400:
            return NoAnswer("maybe", "http_malformed", answer.received_at)
        return answer


class JoinsHeaders(Bent):
    def returned(self, answer: Answer) -> Answer:
        if isinstance(answer, HttpResponse):
            return evolve(answer, headers=tuple(dict(answer.headers).items()))
        return answer


class KeepsCookies(Bent):
    cookie = ""

    def sent(self, request: WireRequest) -> WireRequest:
        extra = (("cookie", self.cookie),) if self.cookie else ()
        return evolve(request, headers=(*request.headers, *extra))

    def returned(self, answer: Answer) -> Answer:
        if isinstance(answer, HttpResponse):
            self.cookie = (answer.header("set-cookie") or "").partition(";")[0]
        return answer


class Decodes(Bent):
    def returned(self, answer: Answer) -> Answer:
        if isinstance(answer, NoAnswer) and answer.code == "content_encoding_unexpected":
            return HttpResponse(200, (), gzip.decompress(gzip.compress(b"{}")), answer.at)
        return answer


class Repeats(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, resend="safe")


class NeverRepeats(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, resend="never")


class Breaks(Bent):
    broken = False

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        if self.broken:
            return NoAnswer("no", "http_connect_failed", clock.now())
        answer = super().send(request, clock)
        self.broken = isinstance(answer, NoAnswer)
        return answer


class Stuck(Bent):
    """After an exchange it needs a moment, in which it fails."""

    until = 0.0

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        if time.monotonic() < self.until:
            return NoAnswer("maybe", "http_malformed", clock.now())
        answer = super().send(request, clock)
        self.until = time.monotonic() + 0.3
        return answer


class Anywhere(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        return evolve(request, reach="any")


class Unjudged(Bent):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(setup)
        self.judges_addresses = False


class Boasts(Bent):
    def returned(self, answer: Answer) -> Answer:
        if isinstance(answer, HttpResponse):
            return evolve(answer, channel=Channel("verified", addresses_judged=True))
        return answer


class Anonymous(Bent):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(evolve(setup, client_certificate=None))


class Direct(Bent):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(evolve(setup, proxy=None))


class Ambient(Bent):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(evolve(setup, proxy=os.environ.get("HTTPS_PROXY")))


class BasicOfHome(Bent):
    def sent(self, request: WireRequest) -> WireRequest:
        if "NETRC" not in os.environ:
            return request
        return evolve(request, headers=(*request.headers, ("authorization", "Basic YTpi")))


class Unstamped(Bent):
    def returned(self, answer: Answer) -> Answer:
        return evolve(answer, received_at=1) if isinstance(answer, HttpResponse) else answer


class Raises(Bent):
    def send(self, request: WireRequest, clock: Clock) -> Answer:
        answer = super().send(request, clock)
        if isinstance(answer, NoAnswer):
            raise ConnectionError
        return answer
