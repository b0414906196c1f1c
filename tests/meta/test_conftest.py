"""The suite's own switches: `--no-skip`, `--vectors`, profiles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.meta.trees import HERE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SKIPS = {
    "call": "import pytest\n\ndef test_x():\n    pytest.skip('why')\n",
    "mark": "import pytest\n\n@pytest.mark.skip(reason='why')\ndef test_x():\n    assert 1 > 0\n",
    "module": "import pytest\n\npytest.importorskip('no_such_module', reason='why')\n",
    "vectors": "def test_x(vectors):\n    assert vectors.is_dir()\n",
}


def outcome(folder: Path, text: str, *options: str) -> tuple[int, str]:
    """Run one test module under the suite's conftest and return its exit status and output."""
    module = folder / "test_planted.py"
    module.write_text(text, encoding="utf-8")
    done = HERE.run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest"),
        *("-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", *options, str(module)),
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", SKIPS)
def test_no_skip_turns_a_skip_into_a_failure(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OIDC_CORE_VECTORS", raising=False)

    lenient, _ = outcome(tmp_path, SKIPS[kind])
    strict, output = outcome(tmp_path, SKIPS[kind], "--no-skip")

    assert lenient in {0, 5}
    assert strict in {1, 2}
    assert "skipped, which --no-skip forbids" in output


@pytest.mark.slow
def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    text = "import pytest\n\n@pytest.mark.xfail(reason='why')\ndef test_x():\n    assert 0 > 1\n"

    status, output = outcome(tmp_path, text, "--no-skip")

    assert status == 0, output


@pytest.mark.slow
def test_vectors_are_found_by_option(tmp_path: Path) -> None:
    status, output = outcome(tmp_path, SKIPS["vectors"], "--no-skip", f"--vectors={tmp_path}")

    assert status == 0, output


@pytest.mark.slow
def test_a_warning_is_an_error(tmp_path: Path) -> None:
    text = "import warnings\n\ndef test_x():\n    warnings.warn('planted', stacklevel=1)\n"

    status, output = outcome(tmp_path, text)

    assert status == 1
    assert "UserWarning: planted" in output


def test_the_profiles_are_registered() -> None:
    examples = {name: settings.get_profile(name).max_examples for name in ("fast", "ci", "deep")}

    assert examples == {"fast": 20, "ci": 200, "deep": 20_000}
    assert settings.get_profile("ci").derandomize
    assert settings.get_profile("ci").deadline is None
