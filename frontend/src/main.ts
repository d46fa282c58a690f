// What every page loads: requests without a full page, and islands where a page has one.
import htmx from "htmx.org";

type Island = (root: HTMLElement) => void | Promise<void>;

// Each island is a file of its own, fetched only by pages that show it.
const islands: Record<string, () => Promise<{ mount: Island }>> = {
  calendar: () => import("./islands/calendar"),
  chart: () => import("./islands/chart"),
  hours: () => import("./islands/hours"),
  inbox: () => import("./islands/inbox"),
  progress: () => import("./islands/progress"),
  reconcile: () => import("./islands/reconcile"),
  schedule: () => import("./islands/schedule"),
};

async function mountIn(scope: ParentNode): Promise<void> {
  for (const root of scope.querySelectorAll<HTMLElement>("[data-island]:not([data-mounted])")) {
    const load = islands[root.dataset["island"] ?? ""];
    if (load === undefined) continue;
    root.dataset["mounted"] = "";
    const { mount } = await load();
    await mount(root);
    root.dataset["ready"] = "";
  }
}

// A form that changes something is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset["sent"] === "") return event.preventDefault();
  form.dataset["sent"] = "";
  window.setTimeout(() => delete form.dataset["sent"], 8000);
});

// Select fields that filter a list send their form by themselves.
document.addEventListener("change", (event) => {
  const field = event.target as HTMLElement;
  if (field.matches("[data-submits]")) (field.closest("form") as HTMLFormElement).requestSubmit();
});

// A second look before what cannot be undone.
document.addEventListener("click", (event) => {
  const button = (event.target as HTMLElement).closest<HTMLElement>("[data-opens]");
  const dialog = button && document.getElementById(button.dataset["opens"] ?? "");
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
});

document.addEventListener("htmx:after:swap", () => void mountIn(document));
void mountIn(document);

// Islands ask for fragments by it.
window.htmx = htmx as unknown as typeof window.htmx;
