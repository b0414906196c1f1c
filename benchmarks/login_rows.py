"""The cost of a whole login, from the first secret to the verified user."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from benchmarks.count import counted
from benchmarks.parties import login, token_members
from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, count_rows, ratio_row
from benchmarks.tokens import floor_of, signed_token

ALGORITHMS: Final = ("RS256", "ES256")


def login_rows(effort: Effort) -> tuple[Row, ...]:
    """Logins over their floor, by algorithm; then one counted."""
    rows: list[Row] = []
    for alg in ALGORITHMS:
        samples = interleaved({"ours": login(alg), "floor": login_floor(alg)}, effort)
        name = f"login_{alg.lower()}"
        rows.append(ratio_row(name, samples.cost("ours"), samples.ratio("ours", "floor")))
    return (*rows, *count_rows(counted(login("RS256")), bytecodes="login_bytecodes"))


def login_floor(alg: str) -> Call:
    """Return the least a login needs: three secrets, a challenge, two JSON texts, a signature."""
    token = signed_token(alg)
    answer, validated = json.dumps(token_members(token.text)).encode(), floor_of(token)

    def floor() -> object:
        _, _, verifier = token_urlsafe(32), token_urlsafe(32), token_urlsafe(32)
        urlsafe_b64encode(sha256(verifier.encode()).digest())
        json.loads(answer)
        return validated()

    return floor
