// The calendar of one instrument: drag or click free time, and see its price at once.
import { createCalendar, destroyCalendar, DayGrid, Interaction, TimeGrid } from "@event-calendar/core";

interface Span {
  start: string;
  end: string;
}
interface Times {
  free: Span[];
  busy: (Span & { title: string; reason: string })[];
  step: number;
}

const ZONE = "+08:00";
const chinese = document.documentElement.lang.startsWith("zh");
const t = (zh: string, en: string): string => (chinese ? zh : en);

/** A time as Shanghai's clocks show it, whatever the browser's zone: `YYYY-MM-DDTHH:MM`. */
function shanghai(moment: Date): string {
  return new Date(moment.getTime() + 8 * 3_600_000).toISOString().slice(0, 16);
}

export function mount(root: HTMLElement): void {
  const step = Number(root.dataset["step"] ?? "30");
  const mayOrder = root.dataset["mayOrder"] === "yes";
  const narrow = window.matchMedia("(max-width: 640px)").matches;
  root.replaceChildren();

  async function load(from: Date, until: Date): Promise<object[]> {
    const asked = new URLSearchParams({
      from: shanghai(from).slice(0, 10),
      until: shanghai(until).slice(0, 10),
    });
    const answer = await fetch(`${root.dataset["times"]}?${asked}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const times = (await answer.json()) as Times;
    return [
      ...times.free.map((span) => ({ ...span, display: "background", classNames: ["ec-free"] })),
      ...times.busy
        .filter((span) => span.reason !== "past")
        .map((span) => ({ ...span, display: "background", classNames: ["ec-busy", `ec-busy-${span.reason}`] })),
    ];
  }

  function ask(start: Date, end: Date): void {
    if (!mayOrder) return;
    const begins = shanghai(start);
    const minutes = Math.round((end.getTime() - start.getTime()) / 60_000);
    const form = document.getElementById("book-form");
    const day = form?.querySelector<HTMLInputElement>("[name=day]");
    const clock = form?.querySelector<HTMLInputElement>("[name=start]");
    const hours = form?.querySelector<HTMLInputElement>("[name=hours]");
    if (day) day.value = begins.slice(0, 10);
    if (clock) clock.value = begins.slice(11);
    if (hours) hours.value = String(Math.max(1, Math.round(minutes / 60)));
    const query = new URLSearchParams({ day: begins.slice(0, 10), start: begins.slice(11), minutes: String(minutes) });
    void window.htmx.ajax("GET", `${root.dataset["price"]}&${query}`, { target: "#price", swap: "innerHTML" });
  }

  const calendar = createCalendar(root, [TimeGrid, DayGrid, Interaction], {
    view: narrow ? "timeGridDay" : "timeGridWeek",
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
    eventSources: [{ events: (info: { start: Date; end: Date }) => load(info.start, info.end) }],
    select: (info: { start: Date; end: Date }) => ask(info.start, info.end),
    dateClick: (info: { date: Date }) => ask(info.date, new Date(info.date.getTime() + 3_600_000)),
  });

  // Its own roles promise a table that it is not; what is inside is reached by the form as well.
  const tidy = (): void => {
    root.querySelectorAll("[role=table],[role=rowgroup],[role=row],[role=cell],[role=columnheader],[role=rowheader]").forEach((each) => each.removeAttribute("role"));
    const scroller = root.querySelector<HTMLElement>(".ec-main, .ec-body");
    if (scroller) {
      scroller.tabIndex = 0;
      scroller.setAttribute("role", "region");
      scroller.setAttribute("aria-label", t("日历，可滚动", "Calendar, scrolls"));
    }
  };
  new MutationObserver(tidy).observe(root, { childList: true, subtree: true });
  tidy();

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
