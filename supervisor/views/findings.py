"""Findings: what `doctor` found, as lines for people. Pure."""

import textwrap

from .document import DoctorDocument, Finding

MARKS = {"ok": "ok", "note": "note", "problem": "FAIL"}
WIDTH = 100


def page(document: DoctorDocument) -> str:
    """Return the findings grouped by what they are about, and a last line that says how it stands."""
    lines: list[str] = []
    about = ""
    for finding in document.findings:
        if finding.about != about:
            about = finding.about
            lines += ([""] if lines else []) + [about]
        lines += _lines(finding)
    count = document.problems
    last = "all is well" if not count else f"{count} thing{'' if count == 1 else 's'} to mend"
    return "\n".join([*lines, "", last])


def _lines(finding: Finding) -> list[str]:
    head = f"  {MARKS[finding.verdict]:<4}  {finding.what:<10}  "
    text, mend = _shown(finding.text), f"-> {_shown(finding.mend)}" if finding.mend else ""
    if mend and len(head) + len(text) + len(mend) < WIDTH:
        return [f"{head}{text} {mend}"]
    lines = textwrap.wrap(text, WIDTH - len(head), break_long_words=False, break_on_hyphens=False)
    # What mends it stays in one line: a broken command could not be copied.
    whole = [*lines, mend] if mend else lines
    return [f"{head if number == 0 else ' ' * len(head)}{line}" for number, line in enumerate(whole)]


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
