// A chart drawn from a table on the page: its heads name the series, its first column the groups.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, SVGRenderer]);

interface Read {
  groups: string[];
  series: { name: string; values: number[] }[];
}

/** Columns marked with `data-series`, rows of the body; a cell's number is its `data-value`. */
function read(table: HTMLTableElement): Read {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const marked = heads.map((head, at) => ({ head, at })).filter(({ head }) => head.dataset["series"] !== undefined);
  return {
    groups: rows.map((row) => row.cells[0]?.textContent?.trim() ?? ""),
    series: marked.map(({ head, at }) => ({
      name: head.textContent?.trim() ?? "",
      values: rows.map((row) => Number(row.cells[at]?.dataset["value"] ?? 0)),
    })),
  };
}

export function mount(root: HTMLElement): void {
  const table = document.getElementById(root.dataset["table"] ?? "");
  if (!(table instanceof HTMLTableElement)) return;
  const found = read(table);
  if (!found.groups.length || !found.series.length) return;
  const stacked = root.dataset["stacked"] === "yes";
  root.classList.add("chart");
  const chart = echarts.init(root, undefined, { renderer: "svg" });
  const draw = (): void => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--color-${name}`).trim();
    const text = colour("base-content");
    chart.setOption({
      aria: { enabled: true, decal: { show: true } },
      color: ["primary", "secondary", "warning", "accent", "neutral"].map(colour),
      textStyle: { color: text, fontFamily: getComputedStyle(document.body).fontFamily },
      legend: { top: 0, itemGap: 20, textStyle: { color: text } },
      // The default writes HTML with inline styles, which the content policy refuses.
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      grid: { left: 8, right: 8, top: 40, bottom: 8, outerBoundsMode: "same" },
      xAxis: { type: "category", data: found.groups, axisLabel: { color: text } },
      yAxis: { type: "value", axisLabel: { color: text }, splitLine: { lineStyle: { color: colour("base-300") } } },
      series: found.series.map((each) => ({ type: "bar", name: each.name, data: each.values, ...(stacked ? { stack: "all" } : {}) })),
    });
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => chart.resize()).observe(root);
}
