"""The job table: outbox of every transaction, embedded queue, and where parked jobs wait.

A job that is taken gets a lease: a holder, and a due time in the future. When the holder dies the
lease runs out, and the job is simply due again. Taking, giving back and ending need no sync to
disk of their own: after a power failure a job may come twice, never not at all. What a person is
told (parked, replayed, discarded) is synced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    and_,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector.exchange.records import Job, Lane, ParkedJob
from connector.store import rows
from connector.store.database import Database
from connector.store.statements import columns, constant, named, text_of
from connector.store.tables import Place, job

_ROW = (*rows.JOB, "place", "due_at", "losses", "parked_at", "reason")


@dataclass(frozen=True, slots=True)
class Taken:
    """A job with a lease."""

    job: Job
    losses: int
    """How often a holder vanished with it."""


class JobTable:
    """What both queue engines do with the job table. Shared between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasty = database.hasty()
        self._sql = _Statements.of(database.engine.dialect)

    def take(
        self, holder: str, *, now: datetime, until: datetime, limit: int, done: Sequence[str] = ()
    ) -> list[Taken]:
        """Lease up to `limit` due jobs to `holder`, the most urgent lane first; jobs `done` by
        the same holder are deleted first, in the same transaction."""
        with self._hasty.writing() as connection:
            self._delete(connection, holder, done)
            found: list[tuple[int, int, Taken]] = []
            for lane in range(len(rows.LANES)):
                if len(found) >= limit:
                    break
                values = {"of_lane": lane, "now": rows.micros(now), "until": rows.micros(until)}
                values |= {"at_most": limit - len(found)}
                taken = connection.exec_driver_sql(self._sql.take, values | {"holder": holder})
                # The engine returns them in any order.
                found += sorted(
                    ((lane, seq, Taken(rows.job_of(row), losses)) for seq, losses, *row in taken),
                    key=lambda item: item[:2],
                )
            return [taken for _, _, taken in found]

    def any_due(self, now: datetime) -> bool:
        """Whether `take` would find something; takes no write lock."""
        with self._hasty.reading() as connection:
            values = {"now": rows.micros(now)}
            return connection.exec_driver_sql(self._sql.any_due, values).first() is not None

    def done(self, holder: str, ids: Sequence[str]) -> None:
        """Delete jobs that `holder` has ended; those whose lease it has lost stay."""
        if ids:
            with self._hasty.writing() as connection:
                self._delete(connection, holder, ids)

    def renew(self, holder: str, ids: Sequence[str], until: datetime) -> None:
        """Keep leases from running out."""
        values = [{"the_id": i, "held": holder, "until": rows.micros(until)} for i in ids]
        with self._hasty.writing() as connection:
            connection.exec_driver_sql(self._sql.renew, values)

    def give_back(self, holder: str, ids: Sequence[str], now: datetime) -> None:
        """End leases; the jobs are due at once, as if they had not been taken."""
        values = [{"the_id": i, "held": holder, "due": rows.micros(now)} for i in ids]
        with self._hasty.writing() as connection:
            connection.exec_driver_sql(self._sql.give_back, values)

    def retry(self, holder: str, job_id: str, due: datetime, reason: str) -> None:
        """Give a job back for later, its attempt counted."""
        values = {"the_id": job_id, "held": holder, "due": rows.micros(due), "why": reason}
        with self._hasty.writing() as connection:
            connection.exec_driver_sql(self._sql.retry, values)

    def park_held(self, holder: str, job_id: str, now: datetime, reason: str) -> None:
        """Set aside a job that `holder` has."""
        values = {"the_id": job_id, "held": holder, "at": rows.micros(now), "why": reason}
        with self._database.writing() as connection:
            connection.exec_driver_sql(self._sql.park, values)

    def put(self, held: Job, place: Place, at: datetime, reason: str) -> None:
        """Note that a job is parked since `at`, or on the broker's ladder until `at`."""
        values = rows.job_values(held) | {"place": int(place), "losses": 0, "reason": reason}
        values |= {"due_at": rows.micros(at)}
        values["parked_at"] = rows.micros(at) if place is Place.PARKED else None
        database = self._database if place is Place.PARKED else self._hasty
        with database.writing() as connection:
            connection.exec_driver_sql(self._sql.put, values)

    def back_from_broker(self, ids: Sequence[str]) -> None:
        """Forget the notes about jobs that have come down the ladder."""
        with self._hasty.writing() as connection:
            connection.exec_driver_sql(self._sql.forget, [{"the_id": i} for i in ids])

    def _delete(self, connection: Connection, holder: str, ids: Sequence[str]) -> None:
        if ids:
            values = [{"the_id": i, "held": holder} for i in ids]
            connection.exec_driver_sql(self._sql.delete, values)

    # --- For people -----------------------------------------------------------------------

    def parked(self) -> list[ParkedJob]:
        """Parked jobs, oldest first."""
        query = (
            select(*columns(job, rows.JOB), job.c.parked_at, job.c.reason)
            .where(job.c.place == Place.PARKED)
            .order_by(job.c.parked_at, job.c.seq)
        )
        with self._database.reading() as connection:
            return [rows.parked_of(row) for row in connection.execute(query)]

    def replay(self, job_id: str, now: datetime) -> bool:
        """Make a parked job due now, as if it were new; False if there is none."""
        fresh = {"place": Place.HERE, "due_at": rows.micros(now), "attempt": 0, "losses": 0}
        statement = (
            update(job)
            .where(job.c.id == job_id, job.c.place == Place.PARKED)
            .values(**fresh, parked_at=None, lease=None, reason="")
        )
        with self._database.writing() as connection:
            return bool(connection.execute(statement).rowcount)

    def discard(self, job_id: str) -> bool:
        """Delete a parked job; False if there is none."""
        statement = delete(job).where(job.c.id == job_id, job.c.place == Place.PARKED)
        with self._database.writing() as connection:
            return bool(connection.execute(statement).rowcount)

    def depth(self, now: datetime) -> dict[Lane, int]:
        """Jobs in the table that nobody holds, by lane."""
        query = (
            select(job.c.lane, func.count())
            .where(job.c.place == Place.HERE, _nobody_has_it(now))
            .group_by(job.c.lane)
        )
        with self._database.reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {lane: found.get(number, 0) for number, lane in enumerate(rows.LANES)}

    def waiting(self, message_id: str, now: datetime) -> datetime | None:
        """When the next job of the message is due that nobody holds."""
        query = select(func.min(job.c.due_at)).where(
            job.c.message_id == message_id, job.c.place != Place.PARKED, _nobody_has_it(now)
        )
        with self._database.reading() as connection:
            due = connection.execute(query).scalar()
        return None if due is None else rows.moment(due)

    def close(self) -> None:
        """Release the connections of its own."""
        self._hasty.close()


def _nobody_has_it(now: datetime) -> ColumnElement[bool]:
    return or_(job.c.lease.is_(None), job.c.due_at <= rows.micros(now))


@dataclass(frozen=True, slots=True)
class _Statements:
    take: str
    any_due: str
    delete: str
    renew: str
    give_back: str
    retry: str
    park: str
    put: str
    forget: str

    @classmethod
    def of(cls, dialect: Dialect) -> _Statements:
        insert_or = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        here = job.c.place == constant(Place.HERE)
        is_due = and_(here, job.c.due_at <= bindparam("now"))
        held = and_(job.c.id == bindparam("the_id"), job.c.lease == bindparam("held"))
        due = (
            select(job.c.seq)
            .where(is_due, job.c.lane == bindparam("of_lane"))
            .order_by(job.c.due_at, job.c.seq)
            .limit(bindparam("at_most"))
            .offset(constant(0))
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        lost = case((job.c.lease.is_(null()), constant(0)), else_=constant(1))
        add = insert_or(job).inline().values(named(_ROW))
        set_free = {"lease": null(), "due_at": bindparam("due")}
        core: dict[str, Executable] = {
            "take": update(job)
            .where(job.c.seq.in_(select(due.c.seq)))
            .values(
                due_at=bindparam("until"), lease=bindparam("holder"), losses=job.c.losses + lost
            )
            .returning(job.c.seq, job.c.losses, *columns(job, rows.JOB)),
            "any_due": select(constant(1))
            .select_from(job)
            .where(is_due, job.c.lane.in_([constant(n) for n in range(len(rows.LANES))]))
            .limit(constant(1))
            .offset(constant(0)),
            "delete": delete(job).where(held),
            "renew": update(job).where(held).values(due_at=bindparam("until")),
            "give_back": update(job).where(held).values(set_free),
            "retry": update(job)
            .where(held)
            .values({**set_free, "reason": bindparam("why")})
            .values(attempt=job.c.attempt + constant(1)),
            "park": update(job)
            .where(held)
            .values(
                place=constant(Place.PARKED),
                parked_at=bindparam("at"),
                lease=null(),
                reason=bindparam("why"),
            ),
            "put": add.on_conflict_do_update(
                index_elements=["id"],
                set_={n: add.excluded[n] for n in _ROW if n != "id"} | {"lease": null()},
            ),
            "forget": delete(job).where(
                job.c.id == bindparam("the_id"), job.c.place == constant(Place.BROKER)
            ),
        }
        return cls(**{name: text_of(statement, dialect) for name, statement in core.items()})
