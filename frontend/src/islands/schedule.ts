// All instruments on one timeline: drag to another time or instrument, look, then confirm.
import { createCalendar, destroyCalendar, Interaction, ResourceTimeline } from "@event-calendar/core";
import { tidied } from "../roles";
import { wall } from "../wall";

interface Resource {
  id: string;
  title: string;
}
interface Plan {
  resources: Resource[];
  events: object[];
}
interface Dropped {
  event: { id: string; start: Date; end: Date; resourceIds: string[] };
  newResource?: Resource;
  revert: () => void;
}

const ZONE = "+08:00";
const REFRESH = 60_000;
const ROWS_MAX = 14;
const chinese = document.documentElement.lang.startsWith("zh");
const t = (zh: string, en: string): string => (chinese ? zh : en);

export async function mount(root: HTMLElement): Promise<void> {
  const dialog = document.getElementById("move-dialog") as HTMLDialogElement;
  const narrow = window.matchMedia("(max-width: 640px)").matches;
  const day = root.dataset["day"] ?? "";
  const today = root.dataset["today"] ?? "";
  const oneDay = root.dataset["days"] === "1";

  async function load(from: Date, until: Date): Promise<Plan> {
    const days = Math.max(1, Math.round((until.getTime() - from.getTime()) / 86_400_000));
    const asked = new URLSearchParams({ day: wall(from).slice(0, 10), days: String(days) });
    const answer = await fetch(`${root.dataset["times"]}&${asked}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()) as Plan;
  }

  const begins = new Date(`${day}T00:00:00`);
  const first = await load(begins, new Date(begins.getTime() + 86_400_000));
  root.replaceChildren();

  async function look(path: string, fields: Record<string, string>): Promise<void> {
    await window.htmx.ajax("GET", `${path}?${new URLSearchParams({ ...fields, part: "form" })}`, { target: "#move", swap: "innerHTML" });
    if (!dialog.open) dialog.showModal();
  }

  function time(start: Date, end: Date): Record<string, string> {
    const at = wall(start);
    const minutes = Math.round((end.getTime() - start.getTime()) / 60_000);
    return { day: at.slice(0, 10), start: at.slice(11), minutes: String(minutes) };
  }

  function drop(info: Dropped): void {
    const instrument = info.newResource?.id ?? info.event.resourceIds[0] ?? "";
    const fields = { reservation: info.event.id, instrument, ...time(info.event.start, info.event.end) };
    // Nothing has moved yet: the server says whether it may, and the form moves it.
    void look("/provider/schedule/move", fields).catch(info.revert);
  }

  const calendar = createCalendar(root, [ResourceTimeline, Interaction], {
    view: narrow || oneDay ? "resourceTimelineDay" : "resourceTimelineWeek",
    date: !oneDay && day <= today && today < wall(new Date(begins.getTime() + 7.1 * 86_400_000)).slice(0, 10) ? today : day,
    timeZone: ZONE,
    locale: chinese ? "zh-CN" : "en-GB",
    firstDay: 1,
    nowIndicator: true,
    // As high as its rows, up to what fits a screen.
    height: first.resources.length > ROWS_MAX ? "36rem" : "auto",
    slotMinTime: "07:00:00",
    slotMaxTime: "22:00:00",
    slotDuration: { hours: 1 },
    snapDuration: { minutes: 15 },
    slotLabelInterval: { hours: 2 },
    slotWidth: 38,
    headerToolbar: { start: "prev,next today", center: "title", end: "resourceTimelineWeek,resourceTimelineDay" },
    buttonText: {
      today: t("今天", "Today"),
      resourceTimelineWeek: t("周", "Week"),
      resourceTimelineDay: t("日", "Day"),
      prev: t("上一页", "Previous"),
      next: t("下一页", "Next"),
    },
    resources: first.resources,
    eventSources: [
      { events: async (info: { start: Date; end: Date }) => (await load(info.start, info.end)).events },
    ],
    selectable: true,
    selectLongPressDelay: 400,
    eventLongPressDelay: 400,
    eventDrop: drop,
    eventResize: drop,
    select: (info: { start: Date; end: Date; resource?: Resource }) =>
      void look("/provider/schedule/new", { instrument: info.resource?.id ?? "", ...time(info.start, info.end) }),
    eventClick: (info: { event: { id: string; display: string; editable?: boolean } }) => {
      if (info.event.display !== "background" && info.event.editable !== false)
        void look("/provider/schedule/move", { reservation: info.event.id });
    },
    eventDidMount: (info: { el: HTMLElement; event: { title: unknown; extendedProps: { told?: string } } }) => {
      if (info.event.extendedProps.told) info.el.title = info.event.extendedProps.told;
    },
  } as Parameters<typeof createCalendar>[2]);

  dialog.addEventListener("close", () => void calendar.refetchEvents());

  // The list below is the same for everybody.
  tidied(root, t("时间轴，可滚动", "Timeline, scrolls"));

  const again = window.setInterval(() => {
    if (!document.hidden && !dialog.open) void calendar.refetchEvents();
  }, REFRESH);
  window.addEventListener("pagehide", () => {
    window.clearInterval(again);
    void destroyCalendar(calendar);
  });
}
