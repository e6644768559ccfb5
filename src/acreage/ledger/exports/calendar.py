"""Deadlines as an iCalendar file that any calendar can subscribe to."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from icalendar import Alarm, Calendar, Event

from acreage.domain.contract import Deadline
from acreage.units.instants import Instant, iso_date, moment

REMIND = {"renewal": 30, "termination": 30, "offer": 3}
"""Days before a deadline on which the calendar reminds, for those that need a decision."""


def ics(deadlines: Iterable[Deadline], *, stamped_at: Instant) -> bytes:
    """One all-day event a deadline, in order of date; the same deadline keeps its UID whenever it is written."""
    calendar = Calendar()
    calendar.add("prodid", "-//Acreage//deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Acreage deadlines")
    for deadline in sorted(deadlines, key=lambda d: (d.at, d.kind, d.subject)):
        calendar.add_component(_event(deadline, stamped_at))
    text: bytes = calendar.to_ical()
    return text


def _event(deadline: Deadline, stamped_at: Instant) -> Event:
    day = moment(deadline.at).date()
    name = f"{deadline.kind}\n{deadline.subject}\n{iso_date(deadline.at)}\n{deadline.summary}"
    event = Event()
    event.add("uid", f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@acreage")
    event.add("dtstamp", moment(stamped_at))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", deadline.summary)
    event.add("description", deadline.description)
    event.add("categories", [deadline.kind])
    if deadline.kind in REMIND:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", deadline.summary)
        alarm.add("trigger", timedelta(days=-REMIND[deadline.kind]))
        event.add_component(alarm)
    return event
