"""Callbacks in words."""

import pytest

from oidc_adapters.cli.explaining.callbacks import explain_callback, is_callback

CODE, STATE = "SplxlOBeZQQYbYS6WxSbIA", "af0ifjsldkj0ifjsldkj"
URL = f"https://rp.example/cb?code={CODE}&state={STATE}"


def failed(url: str, issuer: str = "") -> dict[str, str]:
    verdicts = explain_callback(url, issuer).verdicts
    return {each.name: each.code for each in verdicts if each.outcome == "failed"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, True),
        ("/cb?code=a&state=b", True),
        ("code=a&state=b", True),
        ("error=access_denied", True),
        ("https://rp.example/cb", True),
        ("/cb?a=b", False),
        ("c29tZSB0ZXh0Cg==", False),
        ("exp_expired", False),
    ],
)
def test_a_callback_is_known_by_its_parameters(text: str, expected: bool) -> None:
    assert is_callback(text) is expected


@pytest.mark.parametrize("subject", [URL, f"/cb?code={CODE}&state={STATE}", URL.partition("?")[2]])
def test_a_good_callback_fails_nothing(subject: str) -> None:
    told = explain_callback(subject)

    assert failed(subject) == {}
    assert [each.name for each in told.parameters] == ["code", "state"]
    assert CODE not in str(told)
    assert STATE not in str(told)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://rp.example/cb?code=a", {"state": "state_missing"}),
        ("https://rp.example/cb?state=a", {"parameters": "code_missing"}),
        ("https://rp.example/cb?code=a&error=b&state=c", {"parameters": "response_ambiguous"}),
        ("https://rp.example/cb?code=a&code=b&state=c", {"form": "parameter_duplicated"}),
        ("https://rp.example/cb?code=%0A&state=c", {"form": "parameter_malformed"}),
        (
            "https://rp.example/cb?code=a&state=c&access_token=t",
            {"parameters": "parameter_unexpected"},
        ),
        (
            "https://rp.example/cb#code=a&state=c",
            {
                "fragment": "response_mode_mismatch",
                "state": "state_missing",
                "parameters": "code_missing",
            },
        ),
        (
            "https://op.example/auth?client_id=c&response_type=code&redirect_uri=https://a&state=s",
            {"kind": ""},
        ),
        ("https://rp.example:no/cb?code=a&state=b", {"url": "url_port_invalid"}),
    ],
)
def test_what_a_client_would_refuse_is_told(url: str, expected: dict[str, str]) -> None:
    found = {name: code.partition(" ")[0] for name, code in failed(url).items()}

    assert found == expected


def test_the_issuer_is_compared_with_the_one_that_was_asked() -> None:
    url = f"{URL}&iss=https%3A%2F%2Fother.example"

    assert failed(url, "https://op.example") == {"iss": "response_iss_mismatch"}
    assert failed(url, "https://other.example") == {}
    assert failed(URL, "https://op.example") == {}
    (unjudged,) = [each for each in explain_callback(url).verdicts if each.name == "iss"]
    assert unjudged.reason == "no --issuer was given"


def test_the_words_of_the_provider_come_without_secrets() -> None:
    told = explain_callback(f"/cb?error=invalid_request&error_description=code+{CODE}0&state=s")

    assert (told.error, told.advice != "") == ("invalid_request", True)
    assert CODE not in str(told)


def test_unknown_parameters_are_secrets_until_proven_otherwise() -> None:
    told = explain_callback(f"/cb?ticket={CODE}&{CODE}0=1&empty=&state=s&code=c")

    assert CODE not in str(told)
    assert told.parameters[0].name == "ticket"
    assert told.parameters[2].shown == "empty"


def test_an_error_code_of_nobody_has_no_advice() -> None:
    told = explain_callback("/cb?error=my_own&state=s")

    assert (told.error, told.advice) == ("", "")


@pytest.mark.parametrize("path", ["/cb", "", "/a@b"])
def test_a_password_in_a_url_is_not_shown(path: str) -> None:
    told = explain_callback(f"https://name:secret@rp.example{path}?code=x&state=y")

    assert told.url == f"https://…@rp.example{path}"
    assert "secret" not in str(told)
    assert told.verdicts[0].code.startswith("url_userinfo_not_allowed")
