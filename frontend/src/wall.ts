// The calendars show Shanghai's clocks in every browser, and hand out dates whose local fields are
// what they show, whatever the browser's own zone.

/** What the calendar shows at `moment`: `YYYY-MM-DDTHH:MM`. */
export function wall(moment: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}
