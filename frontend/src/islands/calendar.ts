// The calendar of one instrument: drag or click free time, and see its price at once.
import { createCalendar, destroyCalendar, DayGrid, Interaction, TimeGrid } from "@event-calendar/core";
import { tidied } from "../roles";
import { wall } from "../wall";

interface Span {
  start: string;
  end: string;
}
/** A time that one has booked oneself: which item of which order it is. */
interface Own extends Span {
  title: string;
  order: string;
  item: number;
}
interface Times {
  free: Span[];
  own: Own[];
  busy: (Span & { title: string; reason: string })[];
  step: number;
}

const ZONE = "+08:00";
const chinese = document.documentElement.lang.startsWith("zh");
const t = (zh: string, en: string): string => (chinese ? zh : en);

/** What the calendar hands over: dates are told as the clocks of its own zone show them. */
interface Chosen {
  startStr: string;
  endStr: string;
}
interface Moved {
  event: { start: Date; end: Date; extendedProps: Record<string, unknown> };
}
/** `YYYY-MM-DDTHH:MM` without a zone, as that many minutes; never through the browser's clock. */
const minutesOf = (told: string): number => Date.parse(`${told.slice(0, 16)}Z`) / 60_000;

const weekday = new Intl.DateTimeFormat(chinese ? "zh-CN" : "en-GB", { weekday: "short" });

export function mount(root: HTMLElement): void {
  const step = Number(root.dataset["step"] ?? "30");
  const mayOrder = root.dataset["mayOrder"] === "yes";
  const narrow = window.matchMedia("(max-width: 640px)").matches;
  root.replaceChildren();

  async function load(shown: Chosen): Promise<object[]> {
    const asked = new URLSearchParams({
      from: shown.startStr.slice(0, 10),
      until: shown.endStr.slice(0, 10),
    });
    const answer = await fetch(`${root.dataset["times"]}?${asked}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const times = (await answer.json()) as Times;
    return [
      ...times.free.map((span) => ({ ...span, display: "background", classNames: ["ec-free"] })),
      ...times.busy
        .filter((span) => span.reason !== "past")
        .map((span) => ({ ...span, display: "background", classNames: ["ec-busy", `ec-busy-${span.reason}`] })),
      ...times.own.map(({ order, item, ...span }) => ({
        ...span,
        editable: true,
        classNames: ["ec-order"],
        extendedProps: { order, item },
      })),
    ];
  }

  function ask(start: string, minutes: number): void {
    if (!mayOrder) return;
    const form = document.getElementById("book-form");
    const day = form?.querySelector<HTMLInputElement>("[name=day]");
    const clock = form?.querySelector<HTMLInputElement>("[name=start]");
    const hours = form?.querySelector<HTMLInputElement>("[name=hours]");
    if (day) day.value = start.slice(0, 10);
    if (clock) clock.value = start.slice(11, 16);
    if (hours) hours.value = String(Math.max(1, Math.round(minutes / 60)));
    const query = new URLSearchParams({
      day: start.slice(0, 10),
      start: start.slice(11, 16),
      minutes: String(minutes),
      part: "price",
    });
    void window.htmx.ajax("GET", `${root.dataset["price"]}&${query}`, { target: "#price", swap: "innerHTML" });
  }

  /** Nothing has moved yet: the form of the order shows difference and fee, and moves it. */
  function move({ event }: Moved): void {
    const at = wall(event.start);
    const asked = new URLSearchParams({
      kind: "reschedule",
      item: String(event.extendedProps["item"]),
      day: at.slice(0, 10),
      start: at.slice(11),
      minutes: String(Math.round((event.end.getTime() - event.start.getTime()) / 60_000)),
    });
    window.location.assign(`${String(event.extendedProps["order"])}/time?${asked}`);
  }

  const calendar = createCalendar(root, [TimeGrid, DayGrid, Interaction], {
    view: narrow ? "timeGridDay" : "timeGridWeek",
    // Where there is something to choose: on the first day with free time.
    ...(root.dataset["first"] ? { date: root.dataset["first"] } : {}),
    dayHeaderFormat: (day: Date) => `${weekday.format(day)} ${chinese ? `${day.getMonth() + 1}/` : ""}${day.getDate()}`,
    timeZone: ZONE,
    locale: chinese ? "zh-CN" : "en-GB",
    firstDay: 1,
    allDaySlot: false,
    nowIndicator: true,
    height: "34rem",
    slotMinTime: "06:00:00",
    slotMaxTime: "24:00:00",
    slotDuration: { minutes: Math.max(step, 30) },
    snapDuration: { minutes: step },
    scrollTime: "08:00:00",
    headerToolbar: { start: "prev,next today", center: "title", end: narrow ? "timeGridDay" : "timeGridWeek,timeGridDay" },
    buttonText: {
      today: t("今天", "Today"),
      timeGridWeek: t("周", "Week"),
      timeGridDay: t("日", "Day"),
      prev: t("上一页", "Previous"),
      next: t("下一页", "Next"),
    },
    selectable: mayOrder,
    selectLongPressDelay: 400,
    unselectAuto: false,
    eventSources: [{ events: load }],
    eventLongPressDelay: 400,
    eventDrop: move,
    eventResize: move,
    eventClick: (info: Moved) => {
      const order = info.event.extendedProps["order"];
      if (typeof order === "string") window.location.assign(order);
    },
    select: (chosen: Chosen) => ask(chosen.startStr, minutesOf(chosen.endStr) - minutesOf(chosen.startStr)),
    dateClick: (chosen: { dateStr: string }) => ask(chosen.dateStr, 60),
  });

  tidied(root, t("日历，可滚动", "Calendar, scrolls"));

  const live = root.dataset["live"];
  if (live) {
    const source = new EventSource(live);
    let waiting: number | undefined;
    const refresh = (): void => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(() => calendar.refetchEvents(), 400);
    };
    for (const kind of ["calendar", "reload"]) source.addEventListener(kind, refresh);
    window.addEventListener("pagehide", () => {
      source.close();
      void destroyCalendar(calendar);
    });
  }
}
