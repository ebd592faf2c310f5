/** What the supervisor answers below `/__unreloader/`: to clients on this machine, and to nobody that a browser asks for. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isLocalClient } from "../common/page/loopback.js";
import { type OwnName, ownName } from "../common/page/own-paths.js";
import type { StateView, SupervisorState } from "../control/state.js";
import { browserText } from "../pages/browser-texts.js";
import type { ReloadReport, SupervisorEvents } from "../reports/report.js";
import { refusalOf } from "./caller-check.js";
import { EventStreams, type StateNews } from "./event-stream.js";
import type { LiveStreams } from "./live-streams.js";
import { openEditor, placeToOpen } from "./open-editor.js";
import { panelPage, panelPolicy } from "./panel-page.js";
import type { PanelView } from "./panel-view.js";
import { parseWanted, unreadyReason } from "./ready.js";
import { SessionDoor } from "./session-door.js";

export interface EndpointsOptions {
  readonly view: StateView;
  readonly panel: PanelView;
  /** With `--live`. */
  readonly live: LiveStreams | undefined;
  readonly root: string;
  /** Of the sockets. */
  readonly folder: string;
  /** A server of the app speaks TLS or HTTP/2. */
  hasSessions(): boolean;
}

export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #events: EventStreams;
  readonly #end = new AbortController();
  readonly #door: SessionDoor;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#door = new SessionDoor(options.folder, (request, response) => this.respond(request, response));
    this.#events = new EventStreams(() => newsOf(options.view.now()));
  }

  /** The path is one of ours. */
  respond(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = new URL(request.url ?? "/", "http://localhost");
    const name = ownName(url.pathname);
    if (name === undefined) {
      answerJson(response, 404, { error: "there is nothing here" });
      return;
    }
    const { method, headers, socket } = request;
    const refusal = refusalOf({ method, headers, isLocal: isLocalClient(socket) });
    if (refusal !== undefined) {
      answerJson(response, 403, { error: refusal });
      return;
    }
    if (method === "POST" && name === "") void this.#open(url.searchParams.get("open"), response);
    else if (method === "GET" || method === "HEAD") this.#get(name, url.searchParams, response);
    else {
      response.setHeader("allow", name === "" ? "GET, HEAD, POST" : "GET, HEAD");
      answerJson(response, 405, { error: `${method} is not answered here` });
    }
  }

  changed(): void {
    this.#events.changed();
  }

  tell<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    if (event === "reload") this.#options.panel.reloaded(report as ReloadReport);
    if (event === "listening" && this.#options.hasSessions()) this.#door.open();
    this.#events.tell(event, report);
    this.#options.live?.tell(event, report);
  }

  /** The folder of the sockets was removed, and is there again. */
  ensure(): void {
    this.#door.ensure();
  }

  /** What is open would hold up the end of the supervisor. */
  close(): void {
    this.#end.abort();
    this.#events.close();
    this.#door.close();
    this.#options.live?.close();
  }

  #get(name: OwnName, query: URLSearchParams, response: ServerResponse): void {
    const { view } = this.#options;
    switch (name) {
      case "live": {
        const { id, pid } = view.now();
        answerJson(response, 200, { live: true, id, pid });
        break;
      }
      case "ready":
        void this.#ready(query, response);
        break;
      case "state":
        void this.#state(query.get("panel"), response);
        break;
      case "events":
        if (response.req.method === "HEAD") answerJson(response, 200, {});
        else if (query.has("live")) this.#live(response);
        else this.#events.add(response);
        break;
      case "":
        answerPanel(response);
        break;
      default:
        name satisfies never;
    }
  }

  /** A page that was made with `--live` may be one of before. */
  #live(response: ServerResponse): void {
    const { live } = this.#options;
    if (live) void live.add(response);
    else response.writeHead(204, { "cache-control": "no-store" }).end();
  }

  async #state(forPanel: string | null, response: ServerResponse): Promise<void> {
    const { view, panel } = this.#options;
    if (forPanel === "all") answerJson(response, 200, await panel.all());
    else answerJson(response, 200, forPanel === "numbers" ? panel.numbers() : view.now());
  }

  async #ready(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const wanted = parseWanted(query);
    if (typeof wanted === "string") {
      answerJson(response, 400, { error: wanted });
      return;
    }
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const state = await this.#options.view.until((now) => unreadyReason(now, wanted) === undefined, {
      deadlineMs: wanted.timeoutMs,
      signal: AbortSignal.any([gone.signal, this.#end.signal]),
    });
    if (response.destroyed) return;
    const reason = unreadyReason(state, wanted);
    const { phase, generation, epoch, content, error } = state;
    answerJson(response, reason === undefined ? 200 : 503, {
      ready: reason === undefined,
      ...(reason !== undefined && { reason }),
      phase,
      generation,
      epoch,
      content,
      error,
    });
  }

  async #open(place: string | null, response: ServerResponse): Promise<void> {
    const found = placeToOpen(place ?? "", this.#options.root);
    const problem = found === undefined ? `${place} is no file of the project` : await openEditor(found);
    if (problem !== undefined) answerJson(response, found === undefined ? 404 : 501, { error: problem });
    // The page that was pressed stays.
    else response.writeHead(204, { "cache-control": "no-store" }).end();
  }
}

function newsOf({ phase, live, generation, epoch, modules, error }: SupervisorState): StateNews {
  const short = error && { message: error.message, file: error.file, line: error.line };
  return { phase, live, generation, epoch, modules, error: short };
}

function answerPanel(response: ServerResponse): void {
  const texts = { style: browserText("panel.css"), script: browserText("panel.js") };
  const body = panelPage(texts);
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "content-security-policy": panelPolicy(texts),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
  });
  response.end(body);
}

function answerJson(response: ServerResponse, status: number, answer: object): void {
  const body = `${JSON.stringify(answer)}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  });
  response.end(body);
}
