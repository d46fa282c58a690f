// Reconciling by keyboard: j and k move, Enter accepts the suggestion, x says it by hand, u undoes.
export function mount(root: HTMLElement): void {
  const rows = [...root.querySelectorAll<HTMLElement>("[data-row]")];
  const panel = root.querySelector<HTMLElement>("#line-panel");
  let place = Math.max(0, rows.findIndex((row) => row.getAttribute("aria-current") === "true"));
  let asked = 0;
  const filters = panel?.querySelector<HTMLInputElement>("[data-filters]")?.value ?? "";

  function idOf(at: number): string {
    return rows[at]?.dataset["row"] ?? "";
  }

  async function go(to: number): Promise<void> {
    place = Math.max(0, Math.min(rows.length - 1, to));
    for (const row of rows) row.removeAttribute("aria-current");
    rows[place]?.setAttribute("aria-current", "true");
    rows[place]?.focus();
    const turn = ++asked;
    // Not by htmx: its indicator writes an inline style, which the site's policy refuses.
    const answer = await fetch(`/finance/reconciliation/${idOf(place)}`, {
      headers: { "hx-request": "true" },
    });
    const text = await answer.text();
    if (turn !== asked || !answer.ok || panel === null) return;
    panel.innerHTML = text;
    // After a match the focus goes on to the next line that is open.
    for (const field of panel.querySelectorAll<HTMLInputElement>("[data-next]"))
      field.value = idOf(place + 1);
    for (const field of panel.querySelectorAll<HTMLInputElement>("[data-filters]"))
      field.value = filters;
  }

  rows.forEach((row, at) =>
    row.addEventListener("click", (event) => {
      event.preventDefault();
      void go(at);
    }),
  );

  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input, textarea, select")) return;
    if (event.key === "j") void go(place + 1);
    else if (event.key === "k") void go(place - 1);
    else if (event.key === "Enter" && !target.matches("a, button, summary"))
      panel?.querySelector<HTMLButtonElement>("[data-suggested] button")?.click();
    else if (event.key === "x")
      panel?.querySelector<HTMLSelectElement>("[data-by-hand] select")?.focus();
    else if (event.key === "u")
      document.querySelector<HTMLButtonElement>("[data-undo] button")?.click();
    else return;
    event.preventDefault();
  });

  rows[place]?.focus({ preventScroll: true });
}
