"""How a page looks."""

import os
from io import StringIO

import pytest

from oidc_adapters.cli.layout import WIDTH, Page, columns, wants_colour

from .worlds import Terminal, ascii_stream


def page_of(out: StringIO) -> Page:
    return Page(out, {})


@pytest.mark.parametrize(
    ("out", "environ", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    out: StringIO, environ: dict[str, str], expected: bool
) -> None:
    assert wants_colour(out, environ) is expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [("60", 60), ("9", 40), ("500", 120), ("", WIDTH), ("wide", WIDTH), ("9" * 50, WIDTH)],
)
def test_the_environment_says_how_wide_a_page_is(told: str, expected: int) -> None:
    assert columns(StringIO(), {"COLUMNS": told}) == expected


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")
@pytest.mark.parametrize(("size", "expected"), [(60, 60), (10, 40), (300, 120), (0, WIDTH)])
def test_a_page_is_as_wide_as_its_terminal(size: int, expected: int) -> None:
    from termios import tcsetwinsize

    keyboard, screen = os.openpty()
    tcsetwinsize(screen, (24, size))
    with os.fdopen(keyboard, "w"), os.fdopen(screen, "w") as out:
        assert columns(out, {}) == expected


def test_a_terminal_that_does_not_say_how_wide_it_is_has_the_usual_width() -> None:
    assert columns(Terminal(), {}) == WIDTH


def test_on_a_narrow_page_a_value_stands_below_its_name() -> None:
    out = StringIO()
    page = Page(out, {"COLUMNS": "40"})

    page.facts([("n" * 20, "v" * 30)], indent=7)
    page.spread("l" * 30, "r" * 20)
    page.verdict("✓", "it holds", "OIDC Core §3.1.3.7, 2 and much more", style="good")

    assert out.getvalue().splitlines() == [
        " " * 7 + "n" * 20,
        " " * 9 + "v" * 30,
        "l" * 30,
        " " * 20 + "r" * 20,
        "   ✓ it holds",
        "     OIDC Core §3.1.3.7, 2 and much more",
    ]


def test_a_terminal_has_colours_and_a_file_has_none() -> None:
    terminal, file = Terminal(), StringIO()

    for out in (terminal, file):
        page_of(out).line("a", style="bold")
        page_of(out).line("b")

    assert terminal.getvalue() == "\x1b[1ma\x1b[0m\nb\n"
    assert file.getvalue() == "a\nb\n"


def test_a_paragraph_is_wrapped_and_an_empty_one_is_a_line() -> None:
    out = StringIO()

    page_of(out).line("word " * 30, indent=3)
    page_of(out).line()

    lines = out.getvalue().split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("   word")
    assert lines[-2:] == ["", ""]


def test_two_texts_stand_at_the_edges() -> None:
    out = StringIO()

    page_of(out).spread("left", "right")
    page_of(out).spread("l" * 60, "r" * 30)

    first, second, third = out.getvalue().splitlines()
    assert first == "left" + " " * 71 + "right"
    assert (second, third) == ("l" * 60, " " * 50 + "r" * 30)


def test_facts_stand_in_columns() -> None:
    out = StringIO()

    page_of(out).facts([("a", "1"), ("long_name", "2"), ("n" * 30, "3"), ("e", "")], indent=2)
    page_of(out).facts([], indent=2)

    assert out.getvalue().splitlines() == [
        "  a" + " " * 27 + "1",
        "  long_name" + " " * 19 + "2",
        "  " + "n" * 30 + "  3",
        "  e",
    ]


def test_a_long_fact_is_wrapped_and_cut_off() -> None:
    out = StringIO()

    page_of(out).facts([("short", "x" * 100), ("endless", "y" * 10_000)], indent=2)

    lines = out.getvalue().splitlines()
    assert len(lines) == 2 + 4
    assert max(map(len, lines)) <= WIDTH
    assert lines[-1].strip() == "…"


@pytest.mark.parametrize(
    ("says", "spec"),
    [
        ("short", "RFC 1 §1"),
        ("x " * 34, "RFC 1 §1"),
        ("x " * 80, "RFC 1 §1"),
        ("y " * 39, "RFC 1 §1"),
        ("short", ""),
    ],
)
def test_a_verdict_keeps_the_rule_at_the_edge(says: str, spec: str) -> None:
    out = StringIO()

    page_of(out).verdict("✓", says, spec, style="good")

    lines = out.getvalue().splitlines()
    assert lines[0].startswith("   ✓ ")
    assert all(line.startswith("     ") for line in lines[1:])
    assert max(map(len, lines)) <= WIDTH
    if spec:
        assert len(lines[-1]) == WIDTH
        assert lines[-1].endswith(spec)
    words = " ".join(out.getvalue().replace("✓", "").replace(spec, "").split())
    assert words == says.strip()


def test_what_comes_from_elsewhere_cannot_steer_the_terminal() -> None:
    out = StringIO()
    page = page_of(out)

    page.line("\x1b[2J")
    page.spread("\x1b[2J", "\x1b[2J")
    page.facts([("\x1b", "\x1b")], indent=0)
    page.verdict("!", "\x1b", "", style="warn")

    assert "\x1b" not in out.getvalue()


def test_an_output_in_ascii_gets_ascii() -> None:
    out = ascii_stream()
    page = Page(out, {})

    page.verdict("✓", "Zoë", "RFC 1 §2", style="good")
    page.flush()
    out.seek(0)

    assert out.read().split() == ["+", "Zo\\xeb", "RFC", "1", "#2"]


def test_what_is_to_be_copied_stays_in_one_line() -> None:
    out = StringIO()

    page_of(out).raw("u" * 200)

    assert out.getvalue() == "u" * 200 + "\n"
