from bellboard.supervisor.views.document import DoctorDocument, Finding
from bellboard.supervisor.views.findings import page

LONG = "a path of somebody that is so long that it does not fit into the line together with what mends it, at all"
MEND = (
    "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024 --and-more-words-that-are-long"
)


def document(*findings: Finding) -> DoctorDocument:
    problems = sum(each.verdict == "problem" for each in findings)
    return DoctorDocument(schema_version=1, version="0", problems=problems, findings=findings)


def test_findings_are_grouped_and_each_that_is_amiss_ends_with_what_mends_it() -> None:
    shown = page(
        document(
            Finding(about="board", what="runtime", verdict="ok", text="fine"),
            Finding(about="claude", what="hooks", verdict="note", text="none", mend="bellboard hooks install claude"),
            Finding(about="claude", what="watch", verdict="problem", text=LONG, mend=MEND),
        )
    )
    assert shown.splitlines() == [
        "board",
        "  ok    runtime     fine",
        "",
        "claude",
        "  note  hooks       none -> bellboard hooks install claude",
        "  FAIL  watch       a path of somebody that is so long that it does not fit into the line together",
        "                    with what mends it, at all",
        f"                    -> {MEND}",
        "",
        "1 thing to mend",
    ]


def test_where_nothing_is_amiss_all_is_well_and_nothing_steers_the_terminal() -> None:
    shown = page(document(Finding(about="board", what="runtime", verdict="ok", text="a\x1b[2Jb")))
    assert shown.splitlines() == ["board", "  ok    runtime     a?[2Jb", "", "all is well"]


def test_the_number_of_things_to_mend_is_said() -> None:
    one = Finding(about="a", what="b", verdict="problem", text="c", mend="d")
    assert page(document(one, one)).endswith("\n2 things to mend")
