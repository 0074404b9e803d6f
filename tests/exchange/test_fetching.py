"""What the national system has taken away is not handed over again, however late a worker is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from connector.exchange import handover
from connector.exchange.records import MessageRecord
from connector.exchange.states import State
from connector.runtime import watch
from tests.exchange.world import Side, World


def lagging(side: Side, record: MessageRecord) -> None:
    """A worker that had begun before another one handed the message over, and comes to it now."""
    stale = replace(record, state=State.VERIFIED.value, version=record.version - 1)
    handover.hand_over(side.connector, stale)


def test_a_worker_that_lags_behind_delivers_nothing_again(pair: World) -> None:
    _, received = pair.send()
    folder = pair.br.delivered(received)
    handed_over = pair.br.record(received.id)
    shutil.rmtree(folder)  # taken as a whole
    pair.tick(seconds=5)
    assert pair.br.state(received) is State.FETCHED
    lagging(pair.br, handed_over)
    assert not folder.exists()
    assert pair.br.state(received) is State.FETCHED


def test_long_after_the_mark_goes(pair: World) -> None:
    _, received = pair.send()
    shutil.rmtree(pair.br.delivered(received))
    pair.tick(seconds=5)
    marks = pair.br.home.folder / "delivered" / ".handed-over"
    assert list(marks.glob(f"{received.id}~*"))
    pair.clock.now += timedelta(hours=2)
    watch.FetchWatch(pair.br.connector).notice()
    assert not list(marks.glob(f"{received.id}~*"))


def test_each_is_told_once(pair: World) -> None:
    _, received = pair.send()
    pair.br.fetch(received)
    looking = watch.FetchWatch(pair.br.connector)
    assert looking.notice() == 1
    assert looking.notice() == 0
    pair.settle()
    assert looking.notice() == 0
    assert pair.br.events(received).count("fetched") == 1
