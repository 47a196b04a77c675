"""Work for which no thread can be started is done by whoever asked, once, and may ask for other work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nango_py.connections.crew import Crew


class Crowded(ThreadPoolExecutor):
    """An executor whose last thread was started: it queues what it is given all the same."""

    def submit(self, job: Any, /, *args: Any, **options: Any) -> Any:
        super().submit(job, *args, **options)
        raise RuntimeError("can't start new thread")


def test_work_is_done_once_where_an_executor_starts_no_thread() -> None:
    crew, done = Crew(), list[str]()
    executor = crew._groups["group"] = Crowded(1)

    assert crew.join("group", "key", lambda: done.append("done") or "result").result(10) == "result"
    executor.shutdown()

    assert ["done"] == done
    assert {} == crew._running


def test_work_that_is_done_at_once_may_ask_for_other_work() -> None:
    crew, results = Crew(), list[Any]()
    closed = crew._groups["group"] = ThreadPoolExecutor(1)
    closed.shutdown()

    def outer() -> str:
        return f"outer of {crew.join('group', 'inner', lambda: 'inner').result(10)}"

    asking = threading.Thread(
        target=lambda: results.append(crew.join("group", "outer", outer).result(10)), daemon=True
    )
    asking.start()
    asking.join(10)

    assert ["outer of inner"] == results


def test_a_ticket_cannot_be_cancelled_by_whoever_waits() -> None:
    crew, go = Crew(), threading.Event()
    ticket = crew.join("group", "key", lambda: go.wait(10))

    assert not ticket.cancel()
    go.set()
    assert ticket.result(10)
    crew.close()
