from bellboard.protocol.update import Fault
from bellboard.sources.errors import ArtifactTooLarge
from bellboard.workers.faults import MOST_DETAIL, describe, of_discover, of_handle, sayable


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_error_is_described_by_its_kind_and_place_and_never_by_its_text() -> None:
    place = raised(ValueError("could not read 'my s3cret prompt' in /home/ann/x"))
    assert place.__traceback__ is not None
    assert describe(place) == f"ValueError at test_faults.py:{place.__traceback__.tb_lineno}"
    assert describe(ValueError("s3cret")) == "ValueError"


def test_the_words_of_the_system_are_passed_on_without_the_path() -> None:
    error = FileNotFoundError(2, "No such file or directory", "/home/ann/s3cret")
    assert describe(error) == "FileNotFoundError: No such file or directory"
    assert describe(OSError("s3cret")) == "OSError"


def test_the_words_of_our_own_errors_are_passed_on() -> None:
    assert describe(ArtifactTooLarge("a document of 99 MiB")) == "a document of 99 MiB"


def test_a_name_that_has_no_bytes_is_said_as_well_as_it_can_be() -> None:
    assert sayable("plän") == "plän"
    assert sayable("broken\udcff") == "broken?"


def test_a_fault_names_what_it_is_about_and_the_kind_of_the_error() -> None:
    error = FileNotFoundError(2, "No such file or directory", "/home/ann/s3cret")
    words = "FileNotFoundError: No such file or directory"
    assert of_discover(error) == Fault(scope="discover", code="FileNotFoundError", detail=words)
    assert of_handle("a\udcff", "slow", "it is") == Fault(scope="handle", handle="a?", code="slow", detail="it is")
    assert of_handle("x" * 9999, "slow", "it is").handle == "x" * MOST_DETAIL
