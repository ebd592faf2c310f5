/**
 * What modules write into others by what their evaluation has left behind, after the app listens: `connect().then(() => jobs.add(...))`, a
 * timer. Each such piece is looked at by itself, as an evaluation is: what the module has got hold of is compared before and after.
 * What a timer writes again and again is the app's state, and no part of the start.
 */
import type { PieceKind, PieceWatch } from "../runtime/left-behind.js";
import { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { WrittenEdges, type WrittenEdgesContext } from "./written-edges.js";

export interface LateWritesOptions {
  readonly context: WrittenEdgesContext;
  /** Where evaluations may be going on, they are watched otherwise. */
  readonly observer: Pick<Observer, "watching">;
}

interface Piece {
  readonly edges: ModuleEdges;
  readonly isLate: boolean;
  readonly written: WrittenEdges;
  /** Stands for the version in this piece alone. */
  readonly writer: ModuleEdges;
  /** Pieces of the same version within it that have not ended. */
  within: number;
}

/** What is known of a version. */
interface Known {
  /** Files that pieces have written to, and the evaluation has not. */
  readonly files: Set<string>;
  /** Files that are written to again and again. */
  readonly state: Set<string>;
  /** Looks at pieces that have come again. */
  looks: number;
}

/** Milliseconds that looks may take at once, and the share of the time that passes that comes to them again. */
const LOOKS_MS = 50;
const SHARE = 0.02;
/** What one look may take: a module that puts the app together has got hold of hundreds. */
const LOOK_MS = 10;
/** A timer that comes again, and writes to nothing that is in doubt, will hardly do so later. */
const LATE_LOOKS = 5;

export class LateWrites implements PieceWatch {
  readonly #options: LateWritesOptions;
  readonly #known = new WeakMap<ModuleEdges, Known>();
  /** The piece that is looked at; those within it are parts of it. */
  #piece: Piece | undefined;
  #leftMs = LOOKS_MS;
  #leftAt = 0;

  constructor(options: LateWritesOptions) {
    this.#options = options;
  }

  goesOn(edges: ModuleEdges, kind: PieceKind): void {
    const { context, observer } = this.#options;
    const isLate = kind === "repeated";
    if (this.#piece?.edges === edges) this.#piece.within++;
    if (this.#piece || edges.purged || observer.watching || kind === "timer" || (isLate && !this.#isInDoubt(edges)))
      return;
    const began = performance.now();
    this.#leftMs = Math.min(LOOKS_MS, this.#leftMs + (began - this.#leftAt) * SHARE);
    this.#leftAt = began;
    if (this.#leftMs <= 0) return;
    const written = new WrittenEdges(context);
    const writer = new ModuleEdges(edges.file, () => {});
    for (const file of edges.observed) {
      written.read(writer, file);
      if (performance.now() - began > LOOK_MS) break;
    }
    this.#piece = { edges, isLate, written, writer, within: 0 };
    this.#leftMs -= performance.now() - began;
  }

  paused(edges: ModuleEdges): void {
    const piece = this.#piece;
    if (piece?.edges !== edges || piece.within-- > 0) return;
    this.#piece = undefined;
    // What was purged meanwhile writes into nothing that stays.
    if (edges.purged) return;
    const began = performance.now();
    piece.written.evaluated(piece.writer, false, false);
    for (const file of piece.writer.written) this.#writes(piece, file);
    this.#leftMs -= performance.now() - began;
  }

  #isInDoubt(edges: ModuleEdges): boolean {
    const known = this.#known.get(edges);
    if (!known || known.files.size === 0 || known.looks >= LATE_LOOKS) return false;
    known.looks++;
    return true;
  }

  #writes({ edges, isLate }: Piece, file: string): void {
    const known = this.#known.get(edges) ?? { files: new Set(), state: new Set(), looks: 0 };
    this.#known.set(edges, known);
    const { files, state } = known;
    const isInDoubt = files.has(file);
    if (state.has(file) || (!isInDoubt && (isLate || edges.written.has(file)))) return;
    if (isLate) {
      files.delete(file);
      state.add(file);
      edges.writesState(file);
    } else {
      files.add(file);
      edges.writes(file);
    }
  }
}
