"""The commands' own machinery: groups, lowest versions, the look into the wheel."""

from __future__ import annotations

import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import IO

import pytest

import environment
import legs
import mutants
import suite
from leg_runs import Failure, Legs, call
from tests.meta.trees import ROOT

TYPED = {"oidc_core/py.typed": "", "oidc_adapters/py.typed": ""}
PEM = "-----BEGIN EC PRIVATE KEY-----\n" + "A" * 64
JWK = '{"kty": "OKP", "d": "' + "A" * 43 + '"}'


def wheel(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "planted.whl"
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def test_a_group_is_expanded_with_what_it_includes() -> None:
    dev = environment.group_requirements("dev")

    assert {*environment.group_requirements("suite")} < {*dev}
    assert any(line.startswith("ruff") for line in dev)


def test_the_lowest_versions_are_those_declared() -> None:
    names = [line.split("==")[0] for line in environment.lowest_requirements()]

    assert names[:4] == ["attrs", "cattrs", "urllib3", "cryptography"]
    assert "SQLAlchemy" in names


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"tests/test_x.py": ""}, "the wheel holds tests/test_x.py"),
        ({"oidc_adapters/a.py": f'KEY = """{PEM}"""'}, "a private key, in oidc_adapters/a.py"),
        ({"oidc_adapters/a.json": JWK}, "a private key, in oidc_adapters/a.json"),
    ],
)
def test_what_a_wheel_may_not_hold_is_seen(
    tmp_path: Path, files: dict[str, str], found: str
) -> None:
    with pytest.raises(Failure, match=found):
        legs._inspect(wheel(tmp_path, {**TYPED, **files}))


def test_a_wheel_without_its_marker_is_seen(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"lacks oidc_adapters/py\.typed"):
        legs._inspect(wheel(tmp_path, {"oidc_core/py.typed": ""}))


def test_a_wheel_may_speak_of_keys(tmp_path: Path) -> None:
    text = 'MARK = b"-----BEGIN PRIVATE KEY-----"\n'
    files = {**TYPED, "oidc_adapters/a.py": text, "oidc_core-0.1.0.dist-info/METADATA": ""}

    spoken = wheel(tmp_path, files)

    legs._inspect(spoken)

    assert legs.PRIVATE_KEY.search(text.encode()) is None


@pytest.mark.parametrize("module", mutants.modules())
def test_what_is_mutated_is_there_with_its_tests(module: str) -> None:
    assert (ROOT / mutants.SOURCE / f"{module}.py").is_file()
    assert (ROOT / mutants.own_tests(module)).is_file()


def test_mutants_are_told_by_every_test_that_is_named() -> None:
    own = {mutants.own_tests(module) for module in mutants.modules()}

    assert own == {*mutants.TESTS}


@pytest.mark.parametrize(
    ("arguments", "marks", "parallel"),
    [
        ([], True, True),
        (["-k", "nonce"], True, True),
        (["-m", "interop"], False, True),
        (["tests/meta/test_scripts.py::test_x", "-x"], False, False),
        (["-n", "0"], True, False),
    ],
)
def test_a_named_test_runs_whatever_its_mark(
    arguments: list[str], *, marks: bool, parallel: bool
) -> None:
    defaults = suite._defaults(arguments)

    assert ("not slow and not interop" in defaults) == marks
    assert ("-n" in defaults) == parallel


def test_legs_side_by_side_are_told_one_after_the_other(capfd: pytest.CaptureFixture[str]) -> None:
    run = Legs(python=Path(sys.executable))

    def python(code: str, output: IO[bytes]) -> None:
        call(sys.executable, "-c", code, output=output)

    def found(_: IO[bytes]) -> None:
        raise Failure("there is no wheel")

    run.together(
        {
            "first": partial(python, "import time; time.sleep(0.2); print('one')"),
            "second": partial(python, "print('two')"),
            "third": partial(python, "import sys; sys.exit('three')"),
            "fourth": found,
        }
    )
    status = run.summary()

    told = capfd.readouterr().out
    assert [line.split()[1] for line in told.splitlines() if line.startswith("===")] == [
        *("first", "second", "third", "fourth", "summary")
    ]
    assert told.index("one") < told.index("two") < told.index("three")
    assert [outcome for _, outcome, _ in run.outcomes] == [
        *("passed", "passed", "FAILED with exit status 1", "FAILED: there is no wheel")
    ]
    assert status == 1
    assert "legs: 2 passed, 2 failed" in told
