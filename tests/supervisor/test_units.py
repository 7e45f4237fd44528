import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.supervisor.units import Seconds, finite, seconds, size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (0, 0.0),
        (3, 3.0),
        (0.25, 0.25),
        ("90", 90.0),
        ("90s", 90.0),
        ("1.5m", 90.0),
        (" 2 h ", 7200.0),
        ("7d", 604800.0),
        ("all", float("inf")),
        ("never", float("inf")),
        (float("inf"), float("inf")),
    ],
)
def test_a_duration_is_seconds_or_a_number_with_a_unit_or_no_bound(text: object, value: float) -> None:
    assert seconds(text) == value
    assert isinstance(seconds(text), Seconds)


@pytest.mark.parametrize("text", ["", "soon", "s", "5x", "5 s s", "-5s", "1e3", True, None, [], {}])
def test_what_is_no_duration_is_refused_with_what_to_write_instead(text: object) -> None:
    with pytest.raises(ValueError, match='is no duration: write seconds, or a number with s, m, h or d, or "all"'):
        seconds(text)


@pytest.mark.parametrize("number", [-1, -0.5, float("nan"), float("-inf")])
def test_a_negative_number_is_no_duration_nor_is_none_at_all(number: float) -> None:
    with pytest.raises(ValueError, match="is no duration: it must be 0 or more"):
        seconds(number)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_units_are_what_they_are_called(number: int, unit: str) -> None:
    assert seconds(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        (0, 0),
        (4096, 4096),
        ("4096", 4096),
        ("2KiB", 2048),
        (" 1.5 MiB ", 3 << 19),
        ("1GiB", 1 << 30),
        ("7B", 7),
        ("all", 0),
    ],
)
def test_an_amount_of_memory_is_bytes_or_a_number_with_a_unit_or_no_bound(text: object, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "much", "3 MB", "-1", -1, 1.5, True, None])
def test_what_is_no_amount_is_refused_with_what_to_write_instead(text: object) -> None:
    with pytest.raises(ValueError, match="is no amount of memory: write bytes, or a number with KiB, MiB or GiB"):
        size(text)


def test_what_has_no_bound_is_none_to_those_who_ask_so() -> None:
    assert (finite(Seconds(3)), finite(Seconds("inf"))) == (3.0, None)
