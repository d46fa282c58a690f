// Looks again while something is under way, a little less often each time.
export function mount(root: HTMLElement): void {
  let pause = 1500;

  async function look(): Promise<void> {
    if (!root.isConnected || root.querySelector("[data-moving]") === null) return;
    // Not by htmx: its indicator writes an inline style, which the site's policy refuses.
    const answer = await fetch(location.pathname, { headers: { "hx-request": "true" } });
    if (answer.ok && !answer.redirected) root.innerHTML = await answer.text();
    pause = Math.min(pause * 1.3, 10_000);
    window.setTimeout(() => void look(), pause);
  }

  window.setTimeout(() => void look(), pause);
}
