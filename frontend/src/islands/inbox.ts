// Answering requests by keyboard: j and k move, x ticks, a accepts, d declines after a reason.
export function mount(form: HTMLElement): void {
  const rows = [...form.querySelectorAll<HTMLElement>("[data-row]")];
  const accept = form.querySelector<HTMLButtonElement>("[data-accept]");
  const reason = form.querySelector<HTMLInputElement>("[name=reason]");
  let place = -1;

  const boxOf = (row: HTMLElement | undefined): HTMLInputElement | null =>
    row?.querySelector<HTMLInputElement>("[name=pick]") ?? null;

  function go(to: number): void {
    place = Math.max(0, Math.min(rows.length - 1, to));
    rows[place]?.focus();
  }

  function onlyThis(): void {
    if (rows.some((row) => boxOf(row)?.checked)) return;
    const box = boxOf(rows[place]);
    if (box) box.checked = true;
  }

  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const typing = target.matches("input:not([type=checkbox]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") go(place + 1);
    else if (event.key === "k") go(place - 1);
    else if (event.key === "x") boxOf(rows[place])?.click();
    else if (event.key === "a" && accept && place >= 0) {
      onlyThis();
      accept.click();
    } else if (event.key === "d" && reason && place >= 0) {
      onlyThis();
      reason.focus();
    } else return;
    event.preventDefault();
  });
}
