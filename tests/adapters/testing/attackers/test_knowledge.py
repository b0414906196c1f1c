"""The knowledge of the attacker: what it makes of a URL."""

from oidc_adapters.testing.attackers.knowledge import Knowledge, recent, with_parameters

REQUEST = "https://op.example/authorize?state=s1&nonce=n&code_challenge=c"
RESPONSE = "https://rp.example/callback?code=c1&state=s2"


def test_requests_and_responses_are_told_apart() -> None:
    knowledge = Knowledge()
    for url in (REQUEST, RESPONSE, "https://rp.example/"):
        knowledge.see(url)

    assert (knowledge.requests, knowledge.responses) == ([REQUEST], [RESPONSE])
    assert knowledge.leaked == {"s1", "s2", "c1"}


def test_a_hint_is_a_token() -> None:
    knowledge = Knowledge()
    knowledge.see("https://op.example/end-session?id_token_hint=a.b.c&state=s")

    assert knowledge.tokens == ["a.b.c"]


def test_what_was_seen_again_is_the_newest_and_the_oldest_is_forgotten() -> None:
    knowledge = Knowledge()
    for number in range(50):
        knowledge.see_code(str(number))
    knowledge.see_code("10")

    assert (len(knowledge.codes), knowledge.codes[0], knowledge.codes[-1]) == (40, "11", "10")


def test_something_so_many_things_ago() -> None:
    assert [recent(["a", "b", "c"], back) for back in (0, 1, 2, 9)] == ["c", "b", "a", "a"]
    assert recent([], 3) == ""


def test_parameters_take_the_place_of_a_urls_own() -> None:
    assert with_parameters("https://a.example/p?q=1", {"r": "2 3"}) == "https://a.example/p?r=2+3"
