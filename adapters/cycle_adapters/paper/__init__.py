"""Paper and calendars: the plan, the attendance sheet, the minutes, and the days, as files that leave the machine."""
