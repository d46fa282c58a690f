// What the calendar library says about itself in ARIA: a table that it is not.
const TABLE_ROLES = new Set(["table", "rowgroup", "row", "cell", "gridcell", "columnheader", "rowheader"]);
const TABLE_NAMES = ["aria-colindex", "aria-rowindex", "aria-colspan", "aria-rowspan", "aria-colcount", "aria-rowcount"];

/** Keep a calendar free of roles that promise a table, and its scroller reachable by keyboard. */
export function tidied(root: HTMLElement, name: string): void {
  const tidy = (): void => {
    for (const each of root.querySelectorAll("[role]")) {
      if (TABLE_ROLES.has(each.getAttribute("role") ?? "")) each.removeAttribute("role");
    }
    for (const attribute of TABLE_NAMES) {
      for (const each of root.querySelectorAll(`[${attribute}]`)) each.removeAttribute(attribute);
    }
    // An article is no button and its time no heading of the page; the lists below have links.
    for (const each of root.querySelectorAll("article[role=button]")) each.removeAttribute("role");
    for (const each of root.querySelectorAll(".ec-event h4:not([role])")) each.setAttribute("role", "presentation");
    const scroller = root.querySelector<HTMLElement>(".ec-main, .ec-body");
    if (scroller && !scroller.hasAttribute("aria-label")) {
      scroller.tabIndex = 0;
      scroller.setAttribute("role", "region");
      scroller.setAttribute("aria-label", name);
    }
  };
  new MutationObserver(tidy).observe(root, { childList: true, subtree: true });
  tidy();
}
