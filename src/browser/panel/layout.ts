/** Where each module is drawn: folders as boxes within boxes, by how many modules they have; modules as cells. Pure. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Cell extends Box {
  /** Place in the list of modules. */
  readonly module: number;
}

export interface FolderBox extends Box {
  readonly name: string;
  readonly depth: number;
  readonly count: number;
}

interface Folder {
  name: string;
  readonly folders: Map<string, Folder>;
  readonly modules: number[];
  count: number;
}

const LABEL = 15;
const GAP = 3;

export interface Layout {
  readonly cells: readonly Cell[];
  readonly folders: readonly FolderBox[];
}

export function layOut(files: readonly string[], width: number, height: number): Layout {
  const cells: Cell[] = [];
  const folders: FolderBox[] = [];
  const place = (folder: Folder, box: Box, depth: number): void => {
    if (folder.name !== "") folders.push({ ...box, name: folder.name, depth, count: folder.count });
    const label = folder.name === "" ? 0 : Math.min(LABEL, box.height / 3);
    const gap = Math.min(GAP, box.width / 12, box.height / 12);
    const inner = {
      x: box.x + gap,
      y: box.y + label + gap,
      width: Math.max(0, box.width - 2 * gap),
      height: Math.max(0, box.height - label - 2 * gap),
    };
    const children = [...folder.folders.values()].sort((one, other) => other.count - one.count || compare(one, other));
    const weights = [
      ...children.map(({ count }) => count),
      ...(folder.modules.length > 0 ? [folder.modules.length] : []),
    ];
    const boxes = squarified(weights, inner);
    for (const [index, child] of children.entries()) place(child, boxes[index] ?? inner, depth + 1);
    if (folder.modules.length > 0) cells.push(...grid(folder.modules, boxes.at(-1) ?? inner));
  };
  place(treeOf(files), { x: 0, y: 0, width, height }, 0);
  return { cells, folders };
}

function compare(one: Folder, other: Folder): number {
  return one.name < other.name ? -1 : 1;
}

function treeOf(files: readonly string[]): Folder {
  const root = folderOf("");
  for (const [module, file] of files.entries()) {
    let folder = root;
    folder.count++;
    for (const name of file.split("/").slice(0, -1)) {
      const next = folder.folders.get(name) ?? folderOf(name);
      folder.folders.set(name, next);
      folder = next;
      folder.count++;
    }
    folder.modules.push(module);
  }
  return root;
}

function folderOf(name: string): Folder {
  return { name, folders: new Map(), modules: [], count: 0 };
}

/** Cells of one size, row after row. */
function grid(modules: readonly number[], { x, y, width, height }: Box): Cell[] {
  const columns = Math.max(
    1,
    Math.min(modules.length, Math.round(Math.sqrt((modules.length * width) / (height || 1)))),
  );
  const rows = Math.ceil(modules.length / columns);
  const cell = { width: width / columns, height: height / rows };
  return modules.map((module, index) => ({
    module,
    x: x + (index % columns) * cell.width,
    y: y + Math.floor(index / columns) * cell.height,
    ...cell,
  }));
}

/** Boxes of these weights that fill `box`, as near to squares as may be (Bruls, Huizing, van Wijk). */
export function squarified(weights: readonly number[], box: Box): Box[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const boxes: Box[] = [];
  let rest = box;
  let at = 0;
  let left = total;
  while (at < weights.length) {
    const isWide = rest.width >= rest.height;
    const side = isWide ? rest.height : rest.width;
    const area = (rest.width * rest.height) / (left || 1);
    let count = 1;
    let sum = weights[at] ?? 0;
    for (let best = worst(weights, at, 1, sum * area, area, side); at + count < weights.length; count++) {
      const more = sum + (weights[at + count] ?? 0);
      const next = worst(weights, at, count + 1, more * area, area, side);
      if (next > best) break;
      best = next;
      sum = more;
    }
    const depth = side === 0 ? 0 : (sum * area) / side;
    let offset = 0;
    for (let index = at; index < at + count; index++) {
      const length = side * ((weights[index] ?? 0) / (sum || 1));
      boxes.push(
        isWide
          ? { x: rest.x, y: rest.y + offset, width: depth, height: length }
          : { x: rest.x + offset, y: rest.y, width: length, height: depth },
      );
      offset += length;
    }
    rest = isWide
      ? { x: rest.x + depth, y: rest.y, width: Math.max(0, rest.width - depth), height: rest.height }
      : { x: rest.x, y: rest.y + depth, width: rest.width, height: Math.max(0, rest.height - depth) };
    left -= sum;
    at += count;
  }
  return boxes;
}

/** The worst ratio of sides in a row of these. */
function worst(
  weights: readonly number[],
  at: number,
  count: number,
  rowArea: number,
  area: number,
  side: number,
): number {
  let ratio = 0;
  for (let index = at; index < at + count; index++) {
    const own = (weights[index] ?? 0) * area;
    const length = (own * side) / (rowArea || 1);
    const depth = rowArea / (side || 1);
    ratio = Math.max(ratio, length / (depth || 1), depth / (length || 1));
  }
  return ratio;
}
