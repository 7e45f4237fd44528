from bellboard.supervisor.crew.frames import last_stand

DUMP = """something a source wrote
Fatal Python error: Aborted

Thread 0x00007f31 (most recent call first):
  File "/usr/lib/python3.11/site-packages/bellboard/workers/leash.py", line 48 in _wait_for_end
  File "/usr/lib/python3.11/threading.py", line 982 in run

Current thread 0x00007f32 (most recent call first):
  File "/home/anna/notes source/notes.py", line 12 in parse
  File "/usr/lib/python3.11/site-packages/bellboard/workers/round.py", line 131 in step
  File "<frozen runpy>", line 88 in _run_code

Extension modules: zmq.backend.cython._zmq (total: 1)
""".splitlines()


def test_the_main_thread_tells_where_it_stood_without_a_path() -> None:
    assert last_stand(DUMP) == "notes.py:12 in parse < round.py:131 in step < <frozen runpy>:88 in _run_code"


def test_a_log_without_a_dump_tells_nothing() -> None:
    assert last_stand(["hello", 'File "x.py", line 1 in y']) is None
    assert last_stand([]) is None


def test_a_deep_stack_is_cut() -> None:
    deep = ["Current thread 0x1 (most recent call first):", *(f'  File "a.py", line {n} in f' for n in range(20))]
    told = last_stand(deep)
    assert told is not None
    assert told.startswith("a.py:0 in f < a.py:1 in f")
    assert told.endswith("a.py:7 in f < 12 more")


def test_the_last_dump_counts() -> None:
    again = ["Current thread 0x1 (most recent call first):", '  File "b.py", line 3 in g']
    assert last_stand([*DUMP, *again]) == "b.py:3 in g"
