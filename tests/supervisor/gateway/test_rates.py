from bellboard.supervisor.gateway.rates import MOST_ADDRESSES, Rates


def test_a_page_may_load_at_once_and_a_loop_is_slowed_down() -> None:
    rates = Rates(each_second=2.0, burst=3.0)
    assert [rates.ask("one", 10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.ask("one", 10.0) == 0.5, "seconds until the next may come"
    assert rates.ask("other", 10.0) == 0.0, "nobody pays for another"
    assert rates.ask("one", 10.5) == 0.0
    assert rates.ask("one", 10.5) == 0.5
    assert [rates.ask("one", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5], "never more than a burst"


def test_streams_are_few_and_whoever_leaves_makes_room() -> None:
    rates = Rates(streams=2)
    assert [rates.open_stream() for _ in range(3)] == [True, True, False]
    rates.close_stream()
    assert rates.open_stream()
    assert not rates.open_stream()


def test_a_flood_of_addresses_costs_no_memory() -> None:
    rates = Rates()
    for number in range(3 * MOST_ADDRESSES):
        rates.ask(str(number), 1.0)
    assert len(rates._buckets) == MOST_ADDRESSES
