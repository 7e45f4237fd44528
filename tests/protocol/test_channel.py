import gc
import os
import time
from collections.abc import Callable

import pytest

from bellboard.protocol.channel import Answering, Asking, Listening, Poll, Publishing
from bellboard.protocol.errors import AddressError

PATIENCE = 5.0


@pytest.fixture
def endpoint(folder: str) -> str:
    return f"ipc://{folder}/test.sock"


def wait_for(condition: Callable[[], object]) -> None:
    """Try until the condition holds; each try may move something, and there is a bound."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        Poll().wait(0.001)


def comes(channel: Answering | Asking | Publishing | Listening) -> bool:
    """Wait until something has come."""
    poll = Poll()
    poll.add(channel)
    return channel in poll.wait(PATIENCE)


def heard(channel: Listening) -> bytes | None:
    assert comes(channel)
    return channel.receive()


def test_a_question_and_its_answer(endpoint: str) -> None:
    with Answering(endpoint) as board, Asking(endpoint) as client:
        assert (board.receive(), client.receive()) == (None, None)
        wait_for(lambda: client.send([b"what", b"now"]))
        assert comes(board)
        question = board.receive()
        assert question is not None
        peer, frames = question
        assert frames == [b"what", b"now"]
        assert board.send(peer, [b"this"])
        assert comes(client)
        assert client.receive() == [b"this"]
        assert (board.receive(), client.receive()) == (None, None)


def test_a_client_with_a_name_is_known_by_it(endpoint: str) -> None:
    with Answering(endpoint) as board, Asking(endpoint, name=b"pi:7") as client:
        wait_for(lambda: client.send([b"hello"]))
        assert comes(board)
        assert board.receive() == (b"pi:7", [b"hello"])


def test_answers_go_to_the_one_who_asked(endpoint: str) -> None:
    with Answering(endpoint) as board, Asking(endpoint, name=b"a") as one, Asking(endpoint, name=b"b") as other:
        for client in (one, other):
            wait_for(lambda client=client: client.send([b"hello"]))
            assert comes(board)
            assert board.receive() is not None
        assert board.send(b"b", [b"for b"])
        assert comes(other)
        assert (other.receive(), one.receive()) == ([b"for b"], None)


def test_nothing_can_be_said_to_nobody(endpoint: str) -> None:
    with Asking(endpoint) as client:
        assert not client.send([b"anybody?"]), "no board, so it must be said again later"
        with Answering(endpoint) as board:
            assert not board.send(b"stranger", [b"hello?"])
            wait_for(lambda: client.send([b"now"]))
            assert comes(board)
            question = board.receive()
            assert question is not None
            assert question[1] == [b"now"], "what was refused before is not sent later"


def test_a_client_that_went_away_is_nobody(endpoint: str) -> None:
    with Answering(endpoint) as board:
        with Asking(endpoint, name=b"pi:1") as client:
            wait_for(lambda: client.send([b"hello"]))
            assert comes(board)
            assert board.receive() is not None
        wait_for(lambda: not board.send(b"pi:1", [b"still there?"]))


def test_a_client_finds_a_board_that_came_back(endpoint: str) -> None:
    with Asking(endpoint) as client:
        for word in (b"first", b"second"):
            with Answering(endpoint) as board:

                def said(board: Answering = board, word: bytes = word) -> bool:
                    client.send([word])
                    received = board.receive()
                    return received is not None and received[1] == [word]

                wait_for(said)


def test_a_message_over_the_limit_ends_the_line_and_nothing_else(endpoint: str) -> None:
    with Answering(endpoint, inbound_limit=1000) as board, Asking(endpoint) as loud, Asking(endpoint) as polite:
        wait_for(lambda: loud.send([b"x" * 1001]))
        wait_for(lambda: polite.send([b"x" * 1000]))
        assert comes(board)
        received = board.receive()
        assert received is not None
        assert received[1] == [b"x" * 1000]
        assert board.receive() is None


def test_a_last_word_may_take_its_time(endpoint: str) -> None:
    with Answering(endpoint) as board:
        client = Asking(endpoint)
        wait_for(lambda: client.send([b"bye"]))
        client.flush_and_close(1.0)
        assert comes(board)
        received = board.receive()
        assert received is not None
        assert received[1] == [b"bye"]


def test_listeners_hear_the_topics_they_chose(endpoint: str) -> None:
    with (
        Publishing(endpoint) as board,
        Listening(endpoint, [b""]) as all_ears,
        Listening(endpoint, [b"session.pi.", b"heartbeat"]) as choosy,
    ):
        subscriptions: list[int] = []
        wait_for(lambda: subscriptions.append(board.new_subscriptions()) or sum(subscriptions) == 3)
        for topic, data in ((b"session.codex.1", b"1"), (b"session.pi.1", b"2"), (b"heartbeat", b"3")):
            board.publish(topic, data)
        assert [heard(all_ears) for _ in range(3)] == [b"1", b"2", b"3"]
        assert [heard(choosy) for _ in range(2)] == [b"2", b"3"]
        assert (all_ears.receive(), choosy.receive()) == (None, None)


def test_each_new_listener_is_noticed_even_if_it_wants_what_another_has(endpoint: str) -> None:
    with Publishing(endpoint) as board:
        assert board.new_subscriptions() == 0
        with Listening(endpoint, [b"heartbeat"]):
            assert comes(board)
            assert board.new_subscriptions() == 1
            with Listening(endpoint, [b"heartbeat"]):
                assert comes(board)
                assert board.new_subscriptions() == 1
                assert board.subscriptions == 2
            assert comes(board)
            assert board.new_subscriptions() == 0, "one who leaves is not one who comes"
            assert board.subscriptions == 1


def test_a_listener_that_does_not_keep_up_never_blocks_the_board(endpoint: str) -> None:
    with Publishing(endpoint) as board, Listening(endpoint, [b""]) as sleeper:
        assert comes(board)
        assert board.new_subscriptions() == 1
        began = time.monotonic()
        for number in range(20_000):
            board.publish(b"t", b"%d" % number + b" " * 1000)
        assert time.monotonic() - began < PATIENCE
        received = [heard(sleeper)]
        while (data := sleeper.receive()) is not None:
            received.append(data)
        assert received[0] == b"0" + b" " * 1000
        assert len(received) < 20_000


def test_an_endpoint_that_cannot_be_made_is_explained(folder: str, recwarn: pytest.WarningsRecorder) -> None:
    for kind in (Answering, Publishing):
        with pytest.raises(AddressError, match=r"cannot make the socket ipc:///.*/missing/a.sock: No such file"):
            kind(f"ipc://{folder}/missing/a.sock")
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == [], "no socket is left behind"


def test_a_poll_waits_for_channels_and_plain_descriptors_at_once(endpoint: str) -> None:
    read, write = os.pipe()
    poll = Poll()
    with Answering(endpoint) as board, Asking(endpoint) as client:
        poll.add(board)
        poll.add(read)
        assert poll.wait(0) == set()
        os.write(write, b"!")
        assert poll.wait(PATIENCE) == {read}
        wait_for(lambda: client.send([b"hello"]))
        assert comes(board)
        assert poll.wait(PATIENCE) == {read, board}
        poll.drop(read)
        assert poll.wait(PATIENCE) == {board}
        poll.drop(board)
        assert poll.wait(0) == set()
        poll.add(read)
        assert os.read(read, 8) == b"!"
        os.close(write)
        assert poll.wait(PATIENCE) == {read}, "the end of a pipe is news"
        os.close(read)


def test_a_moment_that_is_past_is_not_waited_for(endpoint: str) -> None:
    with Answering(endpoint) as board:
        poll = Poll()
        poll.add(board)
        began = time.monotonic()
        assert poll.wait(-1.0) == set()
        assert time.monotonic() - began < 1.0


def test_the_descriptor_of_a_channel_turns_readable(endpoint: str) -> None:
    with Answering(endpoint) as board, Asking(endpoint) as client:
        poll = Poll()
        poll.add(board.fd)
        while board.receive() is not None:
            pass
        wait_for(lambda: client.send([b"hello"]))
        received: list[object] = []

        def drained() -> bool:
            assert poll.wait(PATIENCE) == {board.fd}
            received.append(board.receive())
            return received[-1] is not None

        wait_for(drained)
