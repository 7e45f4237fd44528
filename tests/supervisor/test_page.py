from bellboard.supervisor.page import Page


def test_a_page_stands_around_the_options_in_lines_that_fit() -> None:
    page = Page(
        summary="ring",
        about="""Rings each bell of the board, one after the other, until somebody comes to look, or until there is
        no bell left.

        It changes nothing.""",
        examples={
            "bellboard ring": "all",
            "bellboard ring --twice": "each of them two times, for those who did not hear it the first time it rang",
        },
        exits={10: "nobody came", 2: "usage"},
        environment={
            "BELL": "which bell",
            "BELLBOARD_CONFIG": "a file that says which bells there are, and how often each of them may be rung",
        },
        see=("bellboard watch", "bellboard"),
    )
    assert page.description.splitlines() == [
        "Rings each bell of the board, one after the other, until somebody comes to",
        "look, or until there is no bell left.",
        "",
        "It changes nothing.",
    ]
    assert page.epilog.splitlines() == [
        "examples:",
        "  bellboard ring",
        "      all",
        "  bellboard ring --twice",
        "      each of them two times, for those who did not hear it the first time it",
        "      rang",
        "",
        "exit codes:",
        "  0   ok",
        "  1   error",
        "  2   usage",
        "  10  nobody came",
        "",
        "environment:",
        "  BELL              which bell",
        "  BELLBOARD_CONFIG  a file that says which bells there are, and how often each",
        "                    of them may be rung",
        "",
        "see also:",
        "  bellboard watch, bellboard",
    ]


def test_what_a_page_does_not_say_has_no_heading() -> None:
    page = Page(summary="ring", about="Rings.", examples={"bellboard ring": "all"}, exits={})
    assert page.epilog.splitlines() == [
        "examples:",
        "  bellboard ring",
        "      all",
        "",
        "exit codes:",
        "  0  ok",
        "  1  error",
    ]
