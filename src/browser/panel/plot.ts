/**
 * The reloads as a plot: one bar each, in their order, as high as they took long; the colour says what they were. A dot is at
 * the number of modules that were evaluated.
 */
import type { PanelReload } from "../../panel/panel-state.js";
import { clock } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = 120;
const HEIGHT = 150;
const FLOOR = 20;
const LEFT = 40;
/** Milliseconds, and modules, at the lines of the scale, which is logarithmic. */
const TICKS = [1, 10, 100, 1000, 10_000];

export function plot(reloads: readonly PanelReload[], choose: (reload: PanelReload) => void): SVGSVGElement {
  const shown = reloads.slice(-SHOWN);
  const step = Math.max(7, Math.min(24, 840 / Math.max(1, shown.length)));
  const width = LEFT + Math.max(300, shown.length * step) + 8;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img" });
  svg.setAttribute(
    "aria-label",
    `The last ${shown.length} reloads: how long each took, and how many modules were evaluated`,
  );
  for (const ms of TICKS) {
    const y = heightOf(ms);
    svg.append(drawn("line", { x1: LEFT - 4, x2: width, y1: y, y2: y, class: "tick" }));
    const label = drawn("text", { x: LEFT - 8, y: y + 4, class: "scale" });
    label.textContent = String(ms);
    svg.append(label);
  }
  for (const [index, reload] of shown.entries()) {
    const y = heightOf(reload.durationMs);
    const bar = drawn("rect", {
      x: LEFT + index * step,
      y,
      width: step - 2,
      height: Math.max(2, HEIGHT - FLOOR - y),
      class: `bar ${kindOf(reload)}`,
    });
    const title = drawn("title", {});
    title.textContent = describe(reload);
    bar.append(title);
    bar.addEventListener("click", () => choose(reload));
    svg.append(bar);
    if (reload.loaded > 0)
      svg.append(
        drawn("circle", { cx: LEFT + index * step + step / 2 - 1, cy: heightOf(reload.loaded), r: 2.5, class: "dot" }),
      );
  }
  for (const [index, reload] of [shown[0], shown.at(-1)].entries()) {
    if (reload === undefined || (index === 1 && shown.length * step < 140)) continue;
    const x = index === 0 ? LEFT : LEFT + shown.length * step - 2;
    const label = drawn("text", { x, y: HEIGHT - 4, class: index === 0 ? "clock first" : "clock" });
    label.textContent = clock(reload.at);
    svg.append(label);
  }
  return svg;
}

export function describe(reload: PanelReload): string {
  const { at, code, outcome, generation, changed, changedCount, loaded, kept, durationMs, message } = reload;
  const files =
    changed.join(", ") + (changedCount > changed.length ? ` and ${changedCount - changed.length} more` : "");
  const counts = `${loaded} of ${loaded + kept} modules in ${durationMs} ms`;
  return `${clock(at)} ${code} ${outcome}, generation ${generation}: ${files || "no file"} changed; ${message ?? counts}`;
}

export function kindOf({ outcome }: Pick<PanelReload, "outcome">): string {
  return outcome.replaceAll(" ", "-");
}

function heightOf(ms: number): number {
  const share = Math.log10(Math.max(1, Math.min(ms, 20_000))) / Math.log10(20_000);
  return (HEIGHT - FLOOR) * (1 - share) + 4;
}

function drawn<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
}
