// A week to paint on: dragging over half hours opens or shuts them, and writes the fields above.
const SLOTS = 48;
const chinese = document.documentElement.lang.startsWith("zh");

const clock = (slot: number): string => `${String(Math.floor(slot / 2)).padStart(2, "0")}:${slot % 2 ? "30" : "00"}`;

function slotsOf(text: string): boolean[] {
  const open = new Array<boolean>(SLOTS).fill(false);
  for (const found of text.matchAll(/(\d{1,2}):(\d{2})\s*[-–~至]\s*(\d{1,2}):(\d{2})/g)) {
    const [, h1, m1, h2, m2] = found.map(Number) as [number, number, number, number, number];
    for (let slot = Math.floor((h1 * 60 + m1) / 30); slot < Math.ceil((h2 * 60 + m2) / 30) && slot < SLOTS; slot++) open[slot] = true;
  }
  return open;
}

function told(open: boolean[]): string {
  const spans: string[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    if (!open[slot] || open[slot - 1]) continue;
    let end = slot;
    while (end < SLOTS && open[end]) end++;
    spans.push(`${clock(slot)}-${clock(end)}`);
  }
  return spans.join(", ");
}

/** The hours under a row: its left edge is midnight, its right edge the next. */
function scale(): HTMLElement {
  const hours = document.createElement("div");
  hours.setAttribute("aria-hidden", "true");
  hours.className = "painter-scale";
  for (const hour of [0, 6, 12, 18, 24]) {
    const mark = document.createElement("span");
    mark.textContent = String(hour);
    hours.append(mark);
  }
  return hours;
}

export function mount(root: HTMLElement): void {
  if (root.dataset["may"] !== "yes") return;
  const fields = [...root.querySelectorAll<HTMLInputElement>("[data-hours]")];
  let paints: boolean | undefined;
  fields.forEach((field) => {
    // The field says and takes the same: the row below it is for the mouse and the finger only.
    const row = document.createElement("div");
    row.setAttribute("aria-hidden", "true");
    row.className = "painter-row mt-1";
    row.dataset["name"] = field.labels?.[0]?.textContent ?? (chinese ? "日" : "day");
    const cells: HTMLElement[] = [];
    const draw = (): void => slotsOf(field.value).forEach((open, slot) => cells[slot]?.classList.toggle("painter-open", open));
    const paint = (slot: number): void => {
      const open = slotsOf(field.value);
      paints ??= !open[slot];
      open[slot] = paints;
      field.value = told(open);
      draw();
    };
    for (let slot = 0; slot < SLOTS; slot++) {
      const cell = document.createElement("span");
      cell.className = slot % 4 === 0 ? "painter-slot painter-hour" : "painter-slot";
      cell.title = `${clock(slot)}`;
      cell.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        (event.target as HTMLElement).releasePointerCapture(event.pointerId);
        paint(slot);
      });
      cell.addEventListener("pointerenter", (event) => {
        if (event.buttons && paints !== undefined) paint(slot);
      });
      cells.push(cell);
      row.append(cell);
    }
    field.addEventListener("input", draw);
    draw();
    field.after(row, scale());
  });
  window.addEventListener("pointerup", () => (paints = undefined));
}
