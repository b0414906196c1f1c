"""The benchmarks themselves: the counter is exact, and every row can be measured."""

from __future__ import annotations

import asyncio
import base64
import dis
import gc
import json
import math
import re
import sys
from collections import Counter
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from socket import socket
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

import pytest
from benchmarks import __main__ as bench
from benchmarks import rows, session_stores, stores
from benchmarks.count import Count, counted
from benchmarks.parties import login, validation
from benchmarks.picture import picture
from benchmarks.rounds import FULL, TINY, Effort, interleaved, spread
from benchmarks.rows import TARGETS, Row, count_rows
from benchmarks.tokens import SignedToken, floor_of, signed_token
from benchmarks.validation_rows import ALGORITHMS
from benchmarks.web_browser import log_in_all
from cryptography.exceptions import InvalidSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.rounds import Call

TOLD: Final = sys.version_info < (3, 13)
"""Whether the tracer reports every instruction."""

NAMES: Final = [
    "validate_rs256",
    "validate_ps256",
    "validate_es256",
    "validate_eddsa",
    "validate_hs256",
    "validate_rs256_bytecodes",
    "validate_rs256_calls",
    "login_rs256",
    "login_es256",
    "login_bytecodes",
    "keyset_64_vs_1",
    "unknown_kid_us",
    "oversize_refusal_us",
    "assertion_es256",
    "dpop_es256",
    "jwe_rsa_oaep_256",
    "jwe_ecdh_es_a128kw",
    "jwe_dir",
    "import_core_classes",
    "import_client_bytecodes",
    "import_client_ms",
    "transport_over_urlopen",
    "pending_cookie_bytes",
    "pending_memory_bytes",
    "spent_memory_bytes",
    "fresh_us",
    "fresh_async_us",
]

WEB_NAMES: Final = [
    "web_flask_login",
    "web_flask_login_authlib",
    "web_flask_login_floor",
    "web_fastapi_login",
    "web_fastapi_login_authlib",
    "web_flask_at_64",
    "web_flask_at_64_authlib",
    "web_fastapi_at_64",
    "web_fastapi_at_64_authlib",
    "web_fastapi_lag_p99",
    "web_fastapi_lag_p99_authlib",
    "web_fastapi_lag_max",
    "web_fastapi_lag_max_authlib",
    "web_fastapi_ended",
    "web_fastapi_ended_authlib",
    "web_import_flask",
    "web_import_flask_authlib",
    "web_import_fastapi",
    "web_import_fastapi_authlib",
    "web_import_django",
    "web_import_django_authlib",
]


def straight(first: int, second: int) -> int:
    return first * second + first


def twice() -> Iterator[int]:
    yield 1
    yield 2


def through(first: int) -> int:
    return straight(first, 2) + straight(first, 3)


def around(times: int) -> int:
    total = 0
    for each in range(times):
        total += each
    return total


def through_loop(times: int) -> int:
    return around(times)


def instructions(function: Callable[..., object]) -> int:
    """Count those of a function without branches; the tracer does not report ``RESUME``."""
    found = [each.opname for each in dis.get_instructions(function)]
    return len(found) - found.count("RESUME")


@pytest.mark.parametrize(
    ("call", "calls", "bytecodes"),
    [
        (lambda: None, 0, 0),
        (lambda: straight(1, 2), 1, instructions(straight)),
        (lambda: through(1), 3, instructions(through) + 2 * instructions(straight)),
        (lambda: max([1, 2]), 0, 0),
    ],
)
def test_the_counter_is_exact(call: Call, calls: int, bytecodes: int) -> None:
    count = counted(call)

    assert count.calls == calls
    assert count.places.total() == count.bytecodes
    if TOLD:
        assert count.bytecodes == bytecodes


def test_a_resumed_generator_is_a_call() -> None:
    assert counted(lambda: list(twice())).calls == 3


def test_a_loop_counts_each_time_round() -> None:
    costs = [counted(partial(through_loop, times)).bytecodes for times in range(2, 6)]
    steps = [later - sooner for sooner, later in pairwise(costs)]

    assert len({*steps}) == 1
    assert not TOLD or steps[0] > 0


def test_the_counter_names_places_and_leaves_no_trace() -> None:
    before = sys.gettrace()

    count = counted(lambda: straight(1, 2))

    assert sys.gettrace() is before
    assert not TOLD or [*count.places] == ["test_benchmarks.py:straight"]


def test_a_call_that_raises_leaves_no_trace() -> None:
    before, calls = sys.gettrace(), 0

    def third_time() -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise LookupError

    with pytest.raises(LookupError):
        counted(third_time)
    assert sys.gettrace() is before


def payload_of(token: SignedToken) -> bytes:
    return base64.urlsafe_b64decode(token.text.split(".")[1] + "==")


def test_the_token_is_the_one_that_was_agreed_upon() -> None:
    text = signed_token("RS256").text
    payload = payload_of(signed_token("RS256"))

    assert (len(text), len(payload), len(json.loads(payload))) == (1_188, 577, 15)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_floor_checks_the_signature(alg: str) -> None:
    token = signed_token(alg)
    forged = token._replace(text=token.text[:-8] + "AAAAAAAA")

    assert floor_of(token)() == json.loads(payload_of(token))
    if alg != "HS256":  # whose check answers, and does not raise
        with pytest.raises(InvalidSignature):
            floor_of(forged)()


def test_counts_do_not_change_between_runs() -> None:
    token = signed_token("RS256")

    assert counted(validation(token)) == counted(validation(token))
    assert counted(login("RS256")) == counted(login("RS256"))


def test_the_collector_is_not_counted() -> None:
    def told(_phase: str, _about: dict[str, int]) -> None:
        straight(1, 2)

    whole, thresholds = login("RS256"), gc.get_threshold()
    undisturbed = counted(whole)
    gc.callbacks.append(told)
    gc.set_threshold(20)
    try:
        disturbed = counted(whole)
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(told)

    assert disturbed == undisturbed
    assert gc.isenabled()


@pytest.mark.slow
def test_every_row_can_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.json"

    assert bench.main(["--json", str(file)], TINY) == 0

    printed = capsys.readouterr().out
    measured = json.loads(file.read_text("utf-8"))
    assert [row["name"] for row in measured] == NAMES
    assert {*TARGETS} <= {*NAMES, *WEB_NAMES}
    for row in measured:
        assert [*row] == ["name", "value", "unit", "ratio", "target", "ok"]
        assert row["name"] in printed
        assert math.isfinite(row["value"])
        assert row["value"] > 0
        found = row["value"] if row["ratio"] is None else row["ratio"]
        assert row["ok"] is (row["target"] is None or round(found, 4) <= row["target"])


def test_only_exact_rows_fail_the_gate() -> None:
    noisy = Row("validate_rs256", 99.0, "µs", ratio=9.0, target=1.25)
    low = Row("login_bytecodes", 3_500, "bytecodes", target=3_500, exact=True)
    high = low._replace(value=3_501)

    assert [row.ok for row in (noisy, low, high)] == [False, True, False]
    assert [bench.passes([row]) for row in (noisy, low, high)] == [True, True, False]


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--gate"], 1)])
def test_the_gate_is_asked_for(
    arguments: list[str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    high = Row("login_bytecodes", 9_999, "bytecodes", target=3_500, exact=True)

    def suite(_effort: Effort) -> tuple[Row, ...]:
        return (high,)

    monkeypatch.setattr(bench, "SUITES", (suite,))

    assert bench.main(arguments, TINY) == status


def test_counts_of_another_version_have_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    count = Count(5, 1, Counter(a=5))
    here = count_rows(count, bytecodes="login_bytecodes", calls="validate_rs256_calls")
    monkeypatch.setattr(rows, "COUNTED_ON", (2, 7))

    elsewhere = count_rows(count, bytecodes="login_bytecodes")

    assert [row.value for row in here] == [5, 1]
    assert [(row.target, row.exact) for row in elsewhere] == [(None, False)]


def test_the_table_tells_what_is_missed() -> None:
    met = Row("a_row", 71.84, "µs", ratio=1.2, low=1.1, high=1.3, target=1.25)
    lines = rows.table([met, met._replace(name="b_row", ratio=1.26)]).splitlines()

    assert lines[1].split() == [
        "a_row",
        "71.8",
        "µs",
        "1.20",
        "1.10",
        "to",
        "1.30",
        "≤",
        "1.25",
        "ok",
    ]
    assert lines[2].split()[-1] == "MISSED"


def test_rounds_are_interleaved_and_compared_within() -> None:
    samples = interleaved({"one": lambda: around(10), "ten": lambda: around(1_000)}, TINY)

    assert samples.ratio("ten", "one").median > 2
    assert samples.ratio("one", "one") == (1.0, 1.0, 1.0)
    assert FULL.rounds >= 21


def test_the_spread_is_median_and_quartiles() -> None:
    assert spread((4.0, 1.0, 3.0, 2.0, 5.0)) == (2.0, 3.0, 4.0)
    assert spread((7.0,)) == (7.0, 7.0, 7.0)


def test_the_picture_is_well_formed() -> None:
    drawn = picture({"RS256": {"oidc-core": 1.1, "a <peer>": 99.0}}, "a & b")
    parser, widths = expat.ParserCreate(), re.findall(r"<rect x=.*? width='([0-9.]+)'", drawn)

    parser.Parse(drawn, True)

    assert widths == ["110.0", "620.0"]
    for text in ("RS256", "a &lt;peer&gt;", "99.00", "a &amp; b"):
        assert f">{text}</text>" in drawn


@pytest.mark.slow
def test_stores_are_measured_as_they_fill() -> None:
    sizes = (300, 400)

    found = stores.figures(sizes, rounds=2)

    calls = {(each.engine, each.call) for each in found}
    assert ("SQLite", "read, unsealing included") in calls
    assert ("SQLite", "clean, each of 1,000") in calls
    assert all(seconds > 0 for each in found for _, seconds in each.seconds)
    assert len(stores.table(found, sizes).splitlines()) == len(found) + 1


@pytest.mark.slow
def test_sessions_are_found_in_an_index_as_it_fills() -> None:
    found = session_stores.session_figures((300, 400), rounds=2)

    calls = {(each.engine, each.call) for each in found}
    for engine in ("memory", "SQLite"):
        assert {(engine, "sessions found by sub"), (engine, "sessions found by sid")} <= calls
    assert all(seconds > 0 for each in found for _, seconds in each.seconds)


def test_logins_that_do_not_end_are_not_counted() -> None:
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"

        assert asyncio.run(log_in_all(base, 3, 2)) == 0


@pytest.mark.slow
def test_logins_through_frameworks_are_measured(tmp_path: Path) -> None:
    needed = ("authlib", "django", "fastapi", "gunicorn", "httpx", "itsdangerous", "uvicorn")
    lacking = [name for name in needed if find_spec(name) is None]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    file = tmp_path / "rows.json"

    assert bench.main(["--web", "--json", str(file)], TINY) == 0

    measured = {row["name"]: row for row in json.loads(file.read_text("utf-8"))}
    assert [*measured] == WEB_NAMES
    assert all(row["value"] > 0 for row in measured.values())
    for name in ("web_fastapi_ended", "web_fastapi_ended_authlib"):
        assert (measured[name]["value"], measured[name]["unit"]) == (2, "of 2 logins")
