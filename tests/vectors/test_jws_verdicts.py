"""Wycheproof's rows about JWS and JWK: each verdict, with its code, as last agreed.

./test tests/vectors --vectors DIR -s                 # judge, and print how many
UPDATE_VERDICTS=1 ./test tests/vectors --vectors DIR  # write the snapshot again, to be reviewed
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Final

import pytest

from tests.vectors.wycheproof import JWS_FILES, jws_rows, verdict

NAMES: Final = Path(__file__).parents[2] / "docs" / "decisions" / "0014-names.csv"
"""The names that codes had when the list of errata was made."""

SNAPSHOT: Final = Path(__file__).with_name("jws_verdicts.json")

# Rows where this library says otherwise than the file, and why.
ERRATA: Final = {
    ("json_web_signature", 346): "the key names PS256, the header PS384: a key serves its own alg",
    ("json_web_signature", 347): "the key names ES521, which is no algorithm, the header ES512",
    ("json_web_signature", 350): "as 346, with key_ops",
    ("json_web_signature", 351): "as 347, with key_ops",
    ("json_web_signature", 367): "the same octets as 357, which is valid: its padding got lost",
    ("json_web_signature", 370): "the same octets as 357, which is valid: its padding got lost",
    ("json_web_signature", 372): "a question mark in the header is not base64url",
    ("json_web_signature", 373): "a question mark in the payload is not base64url",
}


@pytest.fixture(scope="module")
def verdicts(vectors: Path) -> dict[str, dict[str, str]]:
    """Judge every row once."""
    judged: dict[str, dict[str, str]] = {file: {} for file in JWS_FILES}
    for row in jws_rows(vectors):
        judged[row.file][str(row.number)] = verdict(row)
    if os.environ.get("UPDATE_VERDICTS"):
        SNAPSHOT.write_text(json.dumps(judged, indent=1) + "\n", encoding="utf-8")
    return judged


def test_every_row_gets_the_verdict_and_the_code_it_had(
    verdicts: dict[str, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert {file: len(rows) for file, rows in verdicts.items()} == {
        "json_web_signature": 401,
        "json_web_key": 26,
        "json_web_crypto": 49,
    }
    assert verdicts == json.loads(SNAPSHOT.read_bytes())
    with capsys.disabled():
        print(f"\njudged {sum(len(rows) for rows in verdicts.values())} JWS and JWK vectors")


def test_eight_rows_and_no_other_differ_from_what_the_files_say(
    verdicts: dict[str, dict[str, str]], vectors: Path
) -> None:
    differing = {
        (row.file, row.number)
        for row in jws_rows(vectors)
        if row.valid != (verdicts[row.file][str(row.number)] == "valid")
    }

    assert differing == ERRATA.keys()


def test_the_listed_errata_say_the_same(verdicts: dict[str, dict[str, str]], vectors: Path) -> None:
    document = json.loads((vectors / "wycheproof_ERRATA.json").read_bytes())
    with NAMES.open(encoding="utf-8", newline="") as opened:
        today = {row["old"]: row["new"] for row in csv.DictReader(opened) if row["kind"] == "code"}
    rows = {
        ("json_web_signature", number): today.get(entry["code"], entry["code"]) or "valid"
        for entry in document["json_web_signature_test.json"]
        for number in entry["tcIds"]
    }

    assert rows.keys() == ERRATA.keys()
    assert {name: verdicts[name[0]][str(name[1])] for name in rows} == rows


def test_padding_that_one_file_lost_is_refused(vectors: Path) -> None:
    """E04: what rows 367 and 370 were meant to be."""
    row = next(row for row in jws_rows(vectors) if row.number == 357)
    header, payload, signature = row.token.split(".")

    assert verdict(row) == "valid"
    for token in (
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}==.{signature}",
        f"{header}.{payload}.{signature}=",
        f"{header}.{payload}.{signature}%3D",
    ):
        assert verdict(row._replace(token=token)) == "base64url_malformed"
