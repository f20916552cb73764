// An agenda that is not the one that wrote the file (Mozilla's ical.js): its entries, as it would show them.
import ICAL from "ical.js";
import { given, say } from "./given.mjs";

const file = new ICAL.Component(ICAL.parse(given.text));
const entries = file.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    summary: event.summary,
    location: event.location,
    all_day: event.startDate.isDate,
    begins: event.startDate.toString(),
    ends: event.endDate.toString(),
    shown: event.startDate.toJSDate().toDateString(),
    said: component.getFirstPropertyValue("dtstamp").toJSDate().toISOString(),
    reminders: component.getAllSubcomponents("valarm").map((alarm) => alarm.getFirstPropertyValue("trigger").toSeconds()),
  };
});
say({ name: file.getFirstPropertyValue("x-wr-calname"), here: new Date(0).getTimezoneOffset(), entries });
