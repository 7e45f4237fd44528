import re

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")

from bellboard.supervisor.gateway.page import asset, names


def test_the_whole_page_is_small_and_names_no_other_place() -> None:
    content = {name: bytes(asset(name).body) for name in names()}
    assert sum(map(len, content.values())) < 100_000
    for name, data in content.items():
        assert set(re.findall(rb"https?://[^\s\"'`)]+", data)) <= {b"http://www.w3.org/2000/svg"}, name
        assert b"innerHTML" not in data, "text goes in as text"
