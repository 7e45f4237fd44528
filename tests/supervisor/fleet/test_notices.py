from bellboard.supervisor.fleet.notices import Notices


def test_what_is_so_of_a_topic_is_told_once_and_again_after_it_was_otherwise() -> None:
    said: list[str] = []
    notices = Notices(said.append)
    notices.about("engine", "away")
    notices.about("history", "full")
    notices.about("engine", "away")
    assert said == ["away", "full"]
    notices.about("engine", "there")
    notices.about("engine", "away")
    assert said == ["away", "full", "there", "away"]


def test_what_was_well_in_between_is_news() -> None:
    said: list[str] = []
    notices = Notices(said.append)
    notices.well("engine")
    notices.about("engine", "away")
    notices.well("engine")
    notices.about("engine", "away")
    assert said == ["away", "away"]


def test_what_is_news_each_time_is_told_each_time() -> None:
    said: list[str] = []
    notices = Notices(said.append)
    notices.news("3 were lost")
    notices.news("3 were lost")
    assert said == ["3 were lost", "3 were lost"]
