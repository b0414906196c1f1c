"""When the full run has a separate leg for the operating system's Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import environment
import legs
from leg_runs import Legs

if TYPE_CHECKING:
    from pathlib import Path


def planted(
    folder: Path, name: str, *, old: bool = False, origin: str = "/x/python", venv: bool = True
) -> str:
    """Make a file that answers the questions of the full run as a Python does."""
    path = folder / name
    path.write_text(
        f'#!/bin/sh\ncase "$2" in\n*version_info*) exit {int(old)} ;;\n'
        f"*realpath*) echo {origin} ;;\n*ensurepip*) exit {int(not venv)} ;;\nesac\n",
        "utf-8",
    )
    path.chmod(0o755)
    return str(path)


def test_a_complete_python_that_is_none_of_the_others_is_fit(tmp_path: Path) -> None:
    other = planted(tmp_path, "other", origin="/y/python")

    assert legs._unfit(planted(tmp_path, "system"), [other]) is None


def test_what_is_not_there_or_too_old_is_not_found(tmp_path: Path) -> None:
    assert legs._unfit(str(tmp_path / "nothing"), []) == "not found"
    assert legs._unfit(planted(tmp_path, "old", old=True), []) == "not found"


def test_the_file_that_another_python_leads_to_does_not_run_twice(tmp_path: Path) -> None:
    before = [planted(tmp_path, "y", origin="/y/python"), planted(tmp_path, "shim")]

    assert legs._unfit(planted(tmp_path, "system"), before) == "the same as one above"


def test_a_python_without_venv_is_said_to_be_so(tmp_path: Path) -> None:
    assert legs._unfit(planted(tmp_path, "bare", venv=False), []) == "without python3-venv"


def test_a_missing_one_is_noted_as_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legs, "SYSTEM_PYTHON", str(tmp_path / "nothing"))
    run = Legs(python=tmp_path)

    assert legs._system_python(run, []) == []

    assert run.outcomes == [("system's Python", "not found, not run", 0.0)]


def test_the_one_that_is_there_runs_in_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = planted(tmp_path, "system")
    made: list[dict[str, object]] = []

    def record(groups: list[str], **named: object) -> Path:
        made.append({"groups": groups, **named})
        return tmp_path

    monkeypatch.setattr(legs, "SYSTEM_PYTHON", system)
    monkeypatch.setattr(environment, "prepare", record)
    run = Legs(python=tmp_path)

    (other,) = legs._system_python(run, [])

    assert (other.leg, other.name, other.interpreter) == ("system's Python", "system", system)
    assert other.prepared() == tmp_path
    assert [(each["directory"], each["interpreter"]) for each in made] == [(".venv-system", system)]
    assert run.outcomes == []
