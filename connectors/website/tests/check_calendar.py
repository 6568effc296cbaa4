#!/usr/bin/env python3
"""Reads calendars with two independent libraries (icalendar, vobject) and checks what a
calendar program relies on. Usage: check_calendar.py FILE.ics ..."""

import sys
from datetime import date, datetime

import icalendar
import vobject


def check(path):
    raw = open(path, "rb").read()
    assert raw.startswith(b"BEGIN:VCALENDAR\r\n") and raw.endswith(b"END:VCALENDAR\r\n"), "frame"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75 and b"\n" not in line and b"\r" not in line, line
        line.decode("utf-8")

    calendar = icalendar.Calendar.from_ical(raw)
    assert not calendar.errors, calendar.errors
    zones = {str(zone["TZID"]): zone.to_tz() for zone in calendar.walk("VTIMEZONE")}
    seen = set()
    for event in calendar.walk("VEVENT"):
        assert not event.errors, event.errors
        uid = str(event["UID"])
        assert uid not in seen, f"UID twice: {uid}"
        seen.add(uid)
        for name in ("DTSTAMP", "SEQUENCE", "STATUS", "SUMMARY", "DTSTART"):
            assert name in event, f"{uid}: no {name}"
        assert event["STATUS"] in ("CONFIRMED", "TENTATIVE", "CANCELLED")
        start = event["DTSTART"].dt
        if isinstance(start, datetime):
            zone = event["DTSTART"].params["TZID"]
            assert zone in zones, f"{uid}: no VTIMEZONE for {zone}"
            civil = start.replace(tzinfo=None)
            ours = zones[zone]
            assert ours.utcoffset(civil) == start.utcoffset(), (
                f"{uid}: {zone} is {start.utcoffset()} on {civil}, "
                f"the VTIMEZONE says {ours.utcoffset(civil)}"
            )
        else:
            assert isinstance(start, date) and "TZID" not in event["DTSTART"].params
        if "DTEND" in event:
            end = event["DTEND"].dt
            assert type(end) is type(start) and end > start, f"{uid}: ends before it starts"

    again = list(vobject.readComponents(raw.decode("utf-8")))
    assert len(again) == 1
    events = again[0].contents.get("vevent", [])
    assert {event.uid.value for event in events} == seen
    for event in events:
        theirs = next(e for e in calendar.walk("VEVENT") if str(e["UID"]) == event.uid.value)
        assert event.summary.value == str(theirs["SUMMARY"]), event.summary.value
        assert isinstance(event.dtstart.value, (date, datetime))
    return len(seen)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        print(f"{name}: {check(name)} events, read alike by icalendar and vobject")
