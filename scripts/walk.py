"""A newcomer's walk: which functions a `state` and an ID token pass while one login is finished.

    ./scripts/walk [--value state | --value id_token] [--json]

It watches one call of `OidcClient.finish_login`, after a first login of the same client. The client
is a public one (`token_endpoint_auth_method` is `none`), its logins wait in cookies, its ID tokens
are signed with RS256, and it asks for UserInfo; the fake provider answers in memory. When a public
name moves, the imports of `_arranged` have to follow; everything else goes by the names of the
packages.

How it counts:

- A call is a frame of a function of `oidc_core` or `oidc_adapters`, entered; properties and the
  methods with double underscores are calls like any other.  No calls are: the fake provider and its
  transport, though what they call in the project is one; what attrs generated, since nobody reads
  it; and comprehensions and generator expressions, which Python 3.12 runs partly without a frame.
  For comparison their frames are told too, each time that a generator goes on as one.
- A module is a file, as in `oidc_core.id_token.rules`. A change of module is a call in a module
  that differs from the module of the call before it, whether by call or by return.
- A value passes a call that takes it as an argument, `self` included, or gives it as the result.
  It may lie up to four levels below: in a field of an attrs value, a tuple, a list, a mapping.
  A text or octets that contain it count too, such as a URL, a cookie or a JSON document.
- The changes of a value are counted among the calls that it passes, one after the other; the calls
  in between that never see it do not count.

The values are looked for after the call has ended, so that looking changes nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

PACKAGES: Final = ("oidc_core", "oidc_adapters")
APART: Final = "oidc_adapters.testing"
"""The other side of the protocol, which the walk leaves out."""

VALUES: Final = ("state", "id_token")
DEPTH: Final = 4
"""How many levels below an argument or a result a value is looked for."""

WIDTH: Final = 100
_COMPREHENSIONS: Final = frozenset({"<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"})


class Arrival(NamedTuple):
    """A browser that is back from the provider: the `state` it brings, and what goes on from here.

    Attributes:
        state: as it is in the callback.
        finish: finishes the login and returns its ID token.
    """

    state: str
    finish: Callable[[], str]


def _arranged() -> Callable[[], Arrival]:
    """Return what sends a browser through a login, up to its return."""
    from oidc_adapters import ClientSetup, CookiePendingLogins, OidcClient
    from oidc_adapters.testing import FakeClient, FakeProvider, InMemoryTransport

    provider = FakeProvider(clients=(FakeClient(token_endpoint_auth_method="none"),))
    setup = ClientSetup(
        issuer="https://op.example",
        client_id="client",
        token_endpoint_auth_method="none",
        redirect_uri="https://rp.example/callback",
        scope="openid profile email",
    )
    pending = CookiePendingLogins("a secret of this application, 32 octets or more")
    client = OidcClient(setup, pending, transport=InMemoryTransport(provider))

    def arrived() -> Arrival:
        page = client.start_login(return_to="/inbox")
        cookie = "; ".join([f"{cookie.name}={cookie.value}" for cookie in page.cookies])
        response = provider.authorize(page.url, now=client.shell.clock.now())
        incoming = response.incoming(cookie)

        def finish() -> str:
            return client.finish_login(incoming).logged_in.tokens.id_token

        return Arrival(parse_qs(incoming.query)["state"][0], finish)

    return arrived


@dataclass
class Call:
    """One call in the project.

    Attributes:
        module, function: what was called.
        taken: the arguments.
        given: the result; `None` also after an error.
    """

    module: str
    function: str
    taken: tuple[object, ...]
    given: object = None

    @property
    def is_comprehension(self) -> bool:
        """Whether it is a part of a function that merely has a separate frame."""
        return self.function.rpartition(".")[2] in _COMPREHENSIONS


def traced(finish: Callable[[], str]) -> tuple[list[Call], str]:
    """Finish a login; return the calls in their order, and the ID token."""
    calls: list[Call] = []
    entered: list[Call] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event not in {"call", "return"} or not _is_ours(frame):
            return
        if event == "return":
            entered.pop().given = argument
            return
        function = frame.f_code.co_qualname.replace(".<locals>", "")
        call = Call(frame.f_globals["__name__"], function, _arguments(frame))
        calls.append(call)
        entered.append(call)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        id_token = finish()
    finally:
        sys.setprofile(before)
    return calls, id_token


def _is_ours(frame: FrameType) -> bool:
    if frame.f_code.co_filename.startswith("<"):  # generated, as by attrs
        return False
    module: str = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] in PACKAGES and not f"{module}.".startswith(f"{APART}.")


def _arguments(frame: FrameType) -> tuple[object, ...]:
    named, positional, by_name, held = inspect.getargvalues(frame)
    names = [*named, *[name for name in (positional, by_name) if name is not None]]
    return tuple([held[name] for name in names])


def holds(value: object, wanted: str, depth: int = DEPTH) -> bool:
    """Return whether the wanted text is in a value, or not too far below it."""
    if isinstance(value, str):
        return wanted in value
    if isinstance(value, bytes):
        return wanted.encode() in value
    return depth > 0 and any(holds(part, wanted, depth - 1) for part in _parts(value))


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return [*members.keys(), *members.values()]
    if isinstance(value, (tuple, list)):
        return cast("Sequence[object]", value)
    fields = getattr(type(value), "__attrs_attrs__", ())
    return [getattr(value, field.name, None) for field in fields]


@dataclass(frozen=True)
class Count:
    """How far calls lead: how many they are, in how many modules, with how many changes."""

    calls: int
    modules: int
    changes: int

    @classmethod
    def of(cls, calls: Sequence[Call]) -> Count:
        """Count calls in their order."""
        modules = [call.module for call in calls]
        changes = sum(one != other for one, other in pairwise(modules))
        return cls(len(calls), len({*modules}), changes)

    def __str__(self) -> str:
        return f"{self.calls} calls in {self.modules} modules, {self.changes} changes of module"


class Passed(NamedTuple):
    """A call that a value passes, and which way."""

    call: Call
    takes: bool
    gives: bool


def passed(calls: Sequence[Call], wanted: str) -> list[Passed]:
    """Return the calls that a value passes."""
    ways = [
        Passed(call, holds(call.taken, wanted, DEPTH + 1), holds(call.given, wanted))
        for call in calls
    ]
    return [way for way in ways if way.takes or way.gives]


@dataclass(frozen=True)
class Walk:
    """The calls and values that the walk met.

    Attributes:
        whole: the count of all calls.
        with_comprehensions: the same, the frames of comprehensions among the calls.
        ways: for each value the calls it passes.
    """

    whole: Count
    with_comprehensions: Count
    ways: dict[str, list[Passed]]

    @classmethod
    def of_a_login(cls, values: Sequence[str]) -> Walk:
        """Finish a login of a client that has finished one before."""
        arrived = _arranged()
        arrived().finish()
        state, finish = arrived()
        every, id_token = traced(finish)
        calls = [call for call in every if not call.is_comprehension]
        texts = {"state": state, "id_token": id_token}
        ways = {value: passed(calls, texts[value]) for value in values}
        return cls(Count.of(calls), Count.of(every), ways)

    def as_json(self) -> dict[str, object]:
        """Return all of it as members of a JSON object."""
        return {
            "measured": _measured(),
            "python": sys.version.partition(" ")[0],
            "call": vars(self.whole),
            "call_with_comprehensions": vars(self.with_comprehensions),
            "values": {value: _members(way) for value, way in self.ways.items()},
        }

    def as_text(self) -> str:
        """Return all of it for a terminal."""
        python = sys.version.partition(" ")[0]
        whole = (
            f"One warm OidcClient.finish_login\n{_measured()}, Python {python}\n\n"
            f"the whole call: {self.whole}\n"
            f"    with the frames of comprehensions: {self.with_comprehensions}"
        )
        return "\n\n".join([whole, *[_chapter(value, way) for value, way in self.ways.items()]])


def _measured() -> str:
    spec = importlib.util.find_spec(PACKAGES[0])
    return "" if spec is None or spec.origin is None else str(Path(spec.origin).parent.parent)


def _counts(way: Sequence[Passed]) -> tuple[Count, Count]:
    """Count the calls that a value passes, and those that take it as an argument."""
    return Count.of([one.call for one in way]), Count.of([one.call for one in way if one.takes])


def _members(way: Sequence[Passed]) -> dict[str, object]:
    both, taking = _counts(way)
    path = [
        {"module": call.module, "function": call.function, "takes": takes, "gives": gives}
        for call, takes, gives in way
    ]
    return {**vars(both), "as_argument": vars(taking), "path": path}


def _chapter(value: str, way: Sequence[Passed]) -> str:
    """Tell of one value: a line for each stay in a module, and its functions in their order."""
    both, taking = _counts(way)
    column = max([len(one.call.module) for one in way], default=0)
    lines = [f"{value}: {both}", f"    as an argument: {taking}; functions in (...) only give it"]
    stays = groupby(way, key=lambda one: one.call.module)
    for number, (module, stay) in enumerate(stays, 1):
        head = f"{number:3}  {module:{column}}  "
        lines.append(
            fill(
                _functions(stay),
                WIDTH,
                initial_indent=head,
                subsequent_indent=" " * len(head),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def _functions(stay: Iterable[Passed]) -> str:
    named = [one.call.function if one.takes else f"({one.call.function})" for one in stay]
    repeated = [(name, len([*same])) for name, same in groupby(named)]
    return ", ".join([name if times == 1 else f"{name} x{times}" for name, times in repeated])


def main(arguments: Sequence[str]) -> int:
    """Walk, and print what was met."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="walk", description=summary)
    parser.add_argument("--value", choices=VALUES, help="only one of the values; both by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    if importlib.util.find_spec(PACKAGES[0]) is None:
        _in_the_environment(arguments)
    walk = Walk.of_a_login(VALUES if given.value is None else (given.value,))
    print(json.dumps(walk.as_json(), indent=2) if given.json else walk.as_text())
    return 0


def _in_the_environment(arguments: Sequence[str]) -> None:
    """Start again with the project's own Python, since this one does not have the project."""
    import environment

    python = str(environment.prepare())
    os.execv(python, [python, __file__, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
