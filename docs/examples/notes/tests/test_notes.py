"""The contract kit, run on the example."""

from notes_source import Notes

from bellboard.sources.conformance import Conformance, Step


class TestNotes(Conformance):
    steps = (Step(b"milk\n", messages=1), Step(b"bread\nbutter\n", messages=2))

    def source(self, home):
        return Notes(home)

    def artifact(self, home):
        return home / "shopping.txt"
