/** The picture of the modules: drawn on a canvas, moved and made larger by pointer and keys. */
import type { PanelState } from "../../panel/panel-state.js";
import { type Cell, type Layout, layOut } from "./layout.js";

const LARGEST = 60;
const NAME_WIDTH = 6.2;

export class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #choose: (module: number | undefined) => void;
  #state: PanelState | undefined;
  #layout: Layout = { cells: [], folders: [] };
  #cells: (Cell | undefined)[] = [];
  #scale = 1;
  #left = 0;
  #top = 0;
  #chosen: number | undefined;
  #found: ReadonlySet<number> | undefined;
  #isDrawn = false;

  constructor(canvas: HTMLCanvasElement, choose: (module: number | undefined) => void) {
    this.#canvas = canvas;
    this.#choose = choose;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    canvas.addEventListener("wheel", (event) => {
      // Without a key the page is scrolled.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, event.offsetX, event.offsetY);
    });
    this.#followPointer();
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  show(state: PanelState): void {
    const before = this.#state?.modules;
    this.#state = state;
    const isSame =
      before?.length === state.modules.length && before.every(({ file }, index) => file === state.modules[index]?.file);
    if (isSame) this.#draw();
    else this.#fit();
  }

  select(module: number | undefined): void {
    this.#chosen = module;
    const cell = module === undefined ? undefined : this.#cells[module];
    if (cell) this.#reveal(cell);
    this.#draw();
  }

  find(modules: ReadonlySet<number> | undefined): void {
    this.#found = modules;
    this.#draw();
  }

  zoom(by: number, x = this.#canvas.clientWidth / 2, y = this.#canvas.clientHeight / 2): void {
    const scale = Math.min(LARGEST, Math.max(1, this.#scale * by));
    this.#left = x - ((x - this.#left) * scale) / this.#scale;
    this.#top = y - ((y - this.#top) * scale) / this.#scale;
    this.#scale = scale;
    this.#draw();
  }

  whole(): void {
    this.#scale = 1;
    this.#left = 0;
    this.#top = 0;
    this.#draw();
  }

  #fit(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#layout = layOut(this.#state?.modules.map(({ file }) => file) ?? [], clientWidth, clientHeight);
    this.#cells = [];
    for (const cell of this.#layout.cells) this.#cells[cell.module] = cell;
    this.#draw();
  }

  #reveal(cell: Cell): void {
    const x = cell.x * this.#scale + this.#left;
    const y = cell.y * this.#scale + this.#top;
    const { clientWidth, clientHeight } = this.#canvas;
    if (x < 0 || x > clientWidth) this.#left += clientWidth / 2 - x;
    if (y < 0 || y > clientHeight) this.#top += clientHeight / 2 - y;
  }

  #followPointer(): void {
    const canvas = this.#canvas;
    let from: { x: number; y: number; moved: boolean } | undefined;
    canvas.addEventListener("pointerdown", (event) => {
      from = { x: event.offsetX, y: event.offsetY, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      canvas.title = this.#state?.modules[this.#at(event.offsetX, event.offsetY) ?? -1]?.file ?? "";
      if (from === undefined) return;
      const [x, y] = [event.offsetX - from.x, event.offsetY - from.y];
      if (!from.moved && Math.abs(x) + Math.abs(y) < 4) return;
      this.#left += x;
      this.#top += y;
      from = { x: event.offsetX, y: event.offsetY, moved: true };
      this.#draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (from?.moved === false) this.#choose(this.#at(event.offsetX, event.offsetY));
      from = undefined;
    });
  }

  #onKey(event: KeyboardEvent): void {
    const step = 60;
    const moves: Readonly<Record<string, () => void>> = {
      "+": () => this.zoom(1.25),
      "=": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      "0": () => this.whole(),
      ArrowLeft: () => this.#move(step, 0),
      ArrowRight: () => this.#move(-step, 0),
      ArrowUp: () => this.#move(0, step),
      ArrowDown: () => this.#move(0, -step),
      Escape: () => this.#choose(undefined),
    };
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  }

  #move(x: number, y: number): void {
    this.#left += x;
    this.#top += y;
    this.#draw();
  }

  #at(offsetX: number, offsetY: number): number | undefined {
    const x = (offsetX - this.#left) / this.#scale;
    const y = (offsetY - this.#top) / this.#scale;
    return this.#layout.cells.find(
      (cell) => x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height,
    )?.module;
  }

  /** Once for all that has changed since the last picture. */
  #draw(): void {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    requestAnimationFrame(() => {
      this.#isDrawn = false;
      this.#paint();
    });
  }

  #paint(): void {
    const canvas = this.#canvas;
    const pen = canvas.getContext("2d");
    const state = this.#state;
    if (pen === null || state === undefined) return;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const colours = getComputedStyle(canvas);
    const colour = (name: string): string => colours.getPropertyValue(`--${name}`);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (const { x, y, width, height, name, depth, count } of this.#layout.folders) {
      const [left, top, wide, high] = this.#shown(x, y, width, height);
      pen.fillStyle = colour(depth % 2 === 1 ? "folder" : "folder-in");
      pen.fillRect(left, top, wide, high);
      if (wide < 30 || high < 26) continue;
      pen.fillStyle = colour("faint");
      pen.fillText(clipped(`${name} ${count}`, wide - 8), left + 4, top + Math.min(8, high / 6) + 1);
    }
    const last = state.last;
    const changed = new Set(last?.changed);
    for (const cell of this.#layout.cells) this.#paintCell(pen, cell, state, changed, colour);
    if (this.#chosen !== undefined) this.#paintEdges(pen, this.#chosen, state, colour);
  }

  #paintCell(
    pen: CanvasRenderingContext2D,
    cell: Cell,
    state: PanelState,
    changed: ReadonlySet<string>,
    colour: (name: string) => string,
  ): void {
    const module = state.modules[cell.module];
    if (module === undefined) return;
    const [left, top, wide, high] = this.#shown(cell.x, cell.y, cell.width, cell.height);
    if (left > this.#canvas.clientWidth || top > this.#canvas.clientHeight || left + wide < 0 || top + high < 0) return;
    const gap = Math.min(1, wide / 8, high / 8);
    const kind = changed.has(module.file)
      ? "changed"
      : state.last?.why[module.file]
        ? "loaded"
        : module.isLoaded
          ? "kept"
          : "late";
    pen.globalAlpha = this.#found === undefined || this.#found.has(cell.module) ? 1 : 0.15;
    pen.fillStyle = colour(kind);
    pen.fillRect(left + gap, top + gap, Math.max(0.5, wide - 2 * gap), Math.max(0.5, high - 2 * gap));
    if (cell.module === this.#chosen) {
      pen.strokeStyle = colour("text");
      pen.lineWidth = 2;
      pen.strokeRect(left + gap, top + gap, wide - 2 * gap, high - 2 * gap);
    }
    if (wide > 38 && high > 13) {
      pen.fillStyle = colour(`on-${kind}`);
      pen.fillText(
        clipped(module.file.slice(module.file.lastIndexOf("/") + 1), wide - 6),
        left + 3 + gap,
        top + high / 2,
      );
    }
    pen.globalAlpha = 1;
  }

  #paintEdges(
    pen: CanvasRenderingContext2D,
    chosen: number,
    state: PanelState,
    colour: (name: string) => string,
  ): void {
    const line = (from: number, to: number, stroke: string): void => {
      const [one, other] = [this.#cells[from], this.#cells[to]];
      if (one === undefined || other === undefined) return;
      const [x1, y1] = this.#middle(one);
      const [x2, y2] = this.#middle(other);
      pen.strokeStyle = stroke;
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.quadraticCurveTo((x1 + x2) / 2 + (y2 - y1) / 6, (y1 + y2) / 2 - (x2 - x1) / 6, x2, y2);
      pen.stroke();
      pen.beginPath();
      pen.arc(x2, y2, 2.5, 0, 2 * Math.PI);
      pen.fillStyle = stroke;
      pen.fill();
    };
    pen.lineWidth = 1.3;
    for (const [index, { imports }] of state.modules.entries())
      if (imports.includes(chosen)) line(chosen, index, colour("importers"));
    for (const to of state.modules[chosen]?.imports ?? []) line(chosen, to, colour("imports"));
  }

  #middle(cell: Cell): readonly [number, number] {
    const [left, top, wide, high] = this.#shown(cell.x, cell.y, cell.width, cell.height);
    return [left + wide / 2, top + high / 2];
  }

  #shown(x: number, y: number, width: number, height: number): readonly [number, number, number, number] {
    return [x * this.#scale + this.#left, y * this.#scale + this.#top, width * this.#scale, height * this.#scale];
  }
}

function clipped(text: string, width: number): string {
  const fits = Math.floor(width / NAME_WIDTH);
  return text.length <= fits ? text : `${text.slice(0, Math.max(1, fits - 1))}…`;
}
