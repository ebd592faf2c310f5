/**
 * More of what an app can see of Node's modules, as test/support/sweep-probe.ts has it: calls of those that talk, read,
 * measure or tell. Its compiled text is a file of a test's app, so it imports nothing but Node, and is one file however long.
 * `key.pem` and `cert.pem` are in the app's folder.
 */
import channels from "node:diagnostics_channel";
import dns from "node:dns";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import inspector from "node:inspector";
import net, { type AddressInfo } from "node:net";
import { createHistogram, PerformanceObserver, performance } from "node:perf_hooks";
import readline from "node:readline";
import { PassThrough } from "node:stream";
import tls from "node:tls";
import tty from "node:tty";
import v8 from "node:v8";

type Calls = Readonly<Record<string, () => unknown>>;

const HOST = "127.0.0.1";

const keys = (value: object): string[] => Object.keys(value).sort();
const pick = (from: object, ...names: string[]) => names.map((name) => Reflect.get(from, name));
const portOf = (server: net.Server) => (server.address() as AddressInfo).port;
const keyPair = () => ({ key: readFileSync("key.pem"), cert: readFileSync("cert.pem") });

/** What `use` gives, with the server at work. */
async function serving<Server extends net.Server>(server: Server, use: (port: number) => unknown): Promise<unknown> {
  server.listen(0, HOST);
  await once(server, "listening");
  try {
    return await use(portOf(server));
  } finally {
    server.close();
  }
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const piece of stream) text += String(piece);
  return text;
}

async function answer(options: http.RequestOptions, body = "", by: typeof http | typeof https = http) {
  const request = by.request({ host: HOST, agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const { statusCode, statusMessage, httpVersion, rawHeaders } = response;
  const text = await textOf(response);
  const headers = rawHeaders.map((value, at) => (rawHeaders[at - 1]?.toLowerCase() === "date" ? "DATE" : value));
  return [statusCode, statusMessage, httpVersion, headers, text, response.rawTrailers, response.complete];
}

export function networkCalls(): Readonly<Record<string, Calls>> {
  return {
    "node:net": netCalls,
    "node:http": httpCalls,
    "node:https, node:tls": tlsCalls,
    "node:http2": http2Calls,
    "node:dns": dnsCalls,
    "node:readline, node:tty": terminalCalls,
    "node:inspector, node:v8": engineCalls,
    "node:perf_hooks, node:diagnostics_channel": measureCalls,
  };
}

const ENDS = [
  "remoteFamily",
  "remoteAddress",
  "localFamily",
  "localAddress",
  "readyState",
  "pending",
  "connecting",
  "timeout",
  "allowHalfOpen",
  "bytesRead",
  "bytesWritten",
  "readable",
  "writable",
  "readableFlowing",
  "readableLength",
  "writableLength",
];

const netCalls: Calls = {
  isIP: () => [net.isIP("::1"), net.isIPv4("1.2.3.4"), net.isIPv6("x")],
  defaults: () => [net.getDefaultAutoSelectFamily(), net.getDefaultAutoSelectFamilyAttemptTimeout()],
  "a new socket": () => [pick(new net.Socket(), ...ENDS), keys(new net.Socket())],
  "a new server": () => {
    const server = net.createServer();
    return [
      server.listening,
      server.address(),
      server.maxConnections,
      keys(server).filter((name) => !name.startsWith("_")),
    ];
  },
  "a server that listens": async () => {
    const server = net.createServer().listen({ port: 0, host: HOST, backlog: 5, exclusive: true });
    await once(server, "listening");
    const { address, family, port } = server.address() as AddressInfo;
    const seen = [address, family, port > 0, server.listening, server.listenerCount("listening")];
    server.close();
    await once(server, "close");
    return [seen, server.address(), server.listening];
  },
  "both ends": () => {
    const server = net.createServer();
    return serving(server, async (port) => {
      const client = net.connect(port, HOST);
      const [[socket]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
      const seen = [
        pick(socket, ...ENDS),
        pick(client, ...ENDS),
        socket.address().port === port,
        client.remotePort === port,
      ];
      const echoed = textOf(client.setEncoding("utf8"));
      client.end("hello");
      socket.pipe(socket);
      const text = await echoed;
      return [seen, text, pick(socket, "bytesRead", "bytesWritten"), pick(client, "bytesRead", "bytesWritten")];
    });
  },
  handles: () => {
    const server = net.createServer();
    const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): unknown[] };
    return serving(server, async (port) => {
      const client = net.connect(port, HOST);
      const [[socket]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
      const found = [server, client, socket].map((each) => handles().includes(each));
      const others = handles().filter((each) => ![server, client, socket].includes(each));
      client.destroy();
      return [
        found,
        others.map((each) => (each as object).constructor.name).filter((name) => !/Stream$|^Socket$/.test(name)),
      ];
    });
  },
  getConnections: () => {
    const server = net.createServer();
    return serving(server, async (port) => {
      const client = net.connect(port, HOST);
      await once(server, "connection");
      const count = await new Promise((resolve) => server.getConnections((error, found) => resolve([error, found])));
      client.destroy();
      return count;
    });
  },
  "nobody listens": async () => {
    const server = net.createServer().listen(0, HOST);
    await once(server, "listening");
    const port = portOf(server);
    server.close();
    await once(server, "close");
    const [error] = await once(net.connect(port, HOST), "error");
    return [error.code, error.syscall, error.address, error.port === port];
  },
  "listen() that is wrong": () => net.createServer().listen({ host: HOST } as unknown as net.ListenOptions),
  "listen() on a port that is none": () => net.createServer().listen(70000),
  BlockList: () => {
    const list = new net.BlockList();
    list.addSubnet("10.0.0.0", 8);
    return [list.check("10.1.1.1"), list.check("11.1.1.1"), list.rules];
  },
  SocketAddress: () => pick(new net.SocketAddress({ address: "::1", family: "ipv6", port: 5 }), "address", "port"),
};

const httpCalls: Calls = {
  constants: () => [http.METHODS, http.STATUS_CODES, http.maxHeaderSize],
  globalAgent: () => [
    keys(http.globalAgent),
    pick(http.globalAgent, "keepAlive", "maxSockets", "maxFreeSockets", "defaultPort", "protocol", "scheduling"),
  ],
  "names of connections": () => new http.Agent().getName({ host: "a", port: 1, localAddress: "b", family: 4 }),
  "a new server": () => {
    const server = http.createServer();
    return [
      keys(server).filter((name) => !name.startsWith("_")),
      pick(server, "timeout", "keepAliveTimeout", "headersTimeout", "requestTimeout", "maxRequestsPerSocket"),
      pick(server, "maxHeadersCount", "listening", "httpAllowHalfOpen"),
    ];
  },
  "names and values": () => [http.validateHeaderName("x-a"), http.validateHeaderValue("x-a", "b")],
  "a name that is none": () => http.validateHeaderName("x a"),
  "a value that is none": () => http.validateHeaderValue("x", "\u0100"),
  "a request": () => {
    const server = http.createServer(async (request, response) => {
      const { method, url, httpVersion, rawHeaders, complete, aborted } = request;
      const before = pick(response, "headersSent", "sendDate", "shouldKeepAlive", "finished", "writableEnded");
      const body = await textOf(request);
      const shown = rawHeaders.map((value) => value.replace(/:\d+$/, ":PORT"));
      response.setHeader("X-Seen", ["a", "b"]).writeHead(201, "Made");
      response.end(JSON.stringify([method, url, httpVersion, shown, complete, aborted, before, body]));
    });
    return serving(server, (port) => answer({ port, method: "PUT", path: "/a?b", headers: { A: "b" } }, "body"));
  },
  "heads, hints and trailers": () => {
    const server = http.createServer((request, response) => {
      if (request.method === "POST") response.writeEarlyHints({ link: "</a>; rel=preload" });
      if (request.method === "POST") response.setHeader("Trailer", "X-T");
      response.write("part");
      if (request.method === "POST") response.addTrailers({ "X-T": "end" });
      response.end();
    });
    return serving(server, async (port) => [
      await answer({ port, method: "HEAD" }),
      await answer({ port, method: "POST" }),
    ]);
  },
  "what is no request": () => {
    const server = http.createServer();
    return serving(server, async (port) => {
      const client = net.connect(port, HOST);
      const said = textOf(client.setEncoding("utf8"));
      const failed = once(server, "clientError");
      server.on("clientError", (_, socket) => socket.end("HTTP/1.1 400 No\r\n\r\n"));
      client.write("NONE\r\n\r\n");
      const [error] = await failed;
      return [error.code, error.bytesParsed, await said];
    });
  },
};

const tlsCalls: Calls = {
  constants: () => [
    tls.getCiphers().length,
    tls.DEFAULT_MIN_VERSION,
    tls.DEFAULT_MAX_VERSION,
    tls.DEFAULT_ECDH_CURVE,
    tls.rootCertificates.length,
  ],
  globalAgent: () => [keys(https.globalAgent), pick(https.globalAgent, "defaultPort", "protocol", "maxCachedSessions")],
  checkServerIdentity: () =>
    tls.checkServerIdentity("a.com", { subject: { CN: "b.com" } } as unknown as tls.PeerCertificate),
  "https: a request": () => {
    const server = https.createServer(keyPair(), (request, response) => {
      const { encrypted, authorized, alpnProtocol, servername } = request.socket as tls.TLSSocket;
      response.end(JSON.stringify([encrypted, authorized, alpnProtocol, servername, request.socket.remoteAddress]));
    });
    return serving(server, (port) => answer({ port, rejectUnauthorized: false } as http.RequestOptions, "", https));
  },
  "protocols, names, keys and a session that is resumed": () => {
    const server = tls.createServer({ ...keyPair(), ALPNProtocols: ["x", "y"], maxVersion: "TLSv1.2" }, (socket) =>
      socket.end(`${socket.getProtocol()} ${socket.alpnProtocol} ${socket.servername} ${socket.isSessionReused()}`),
    );
    let keyLines = 0;
    server.on("keylog", () => keyLines++);
    return serving(server, async (port) => {
      const options = { port, host: HOST, servername: "a.test", rejectUnauthorized: false, ALPNProtocols: ["y"] };
      const first = tls.connect(options);
      await once(first, "secureConnect");
      const session = first.getSession();
      const texts = [await textOf(first.setEncoding("utf8"))];
      texts.push(await textOf(tls.connect({ ...options, ...(session && { session }) }).setEncoding("utf8")));
      return [texts, keyLines > 0];
    });
  },
  "a certificate of the client's": () => {
    const server = tls.createServer({ ...keyPair(), requestCert: true, rejectUnauthorized: false }, (socket) =>
      socket.end(JSON.stringify([socket.authorized, Object.keys(socket.getPeerCertificate()).length > 0])),
    );
    return serving(server, (port) =>
      textOf(tls.connect({ ...keyPair(), port, host: HOST, rejectUnauthorized: false }).setEncoding("utf8")),
    );
  },
};

const SESSION = ["type", "encrypted", "alpnProtocol", "closed", "destroyed", "connecting", "originSet"];

const http2Calls: Calls = {
  constants: () => [http2.constants, String(http2.sensitiveHeaders)],
  settings: () => [http2.getDefaultSettings(), http2.getPackedSettings({ enablePush: false }).toString("hex")],
  "sessions and streams": () => {
    const server = http2.createServer();
    let seen: unknown;
    server.on("stream", (stream, headers) => {
      const { session } = stream;
      seen = session && [
        pick(session, ...SESSION),
        session.localSettings,
        keys(session.state),
        session.socket.remoteAddress,
      ];
      stream.respond({ ":status": 203, seen: String(headers[":path"]) }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ last: "one" }));
      stream.end("streamed");
    });
    return serving(server, async (port) => {
      const client = http2.connect(`http://${HOST}:${port}`);
      const stream = client.request({ ":path": "/one" });
      const trailers = once(stream, "trailers");
      const [headers] = await once(stream, "response");
      const text = await textOf(stream.setEncoding("utf8"));
      const shown = [headers[":status"], headers.seen, text, (await trailers)[0].last];
      const pinged = await new Promise((resolve) => client.ping((error) => resolve(error)));
      client.close();
      await once(client, "close");
      return [shown, seen, pick(client, ...SESSION), pinged];
    });
  },
};

const dnsCalls: Calls = {
  defaults: () => [dns.getServers(), dns.getDefaultResultOrder(), new dns.Resolver().getServers()],
  lookup: async () => [
    await dns.promises.lookup("127.0.0.1"),
    await dns.promises.lookup("::1", { all: true }),
    await dns.promises.lookup("localhost", { family: 4 }),
  ],
  lookupService: () => dns.promises.lookupService(HOST, 80),
  "lookup of nothing": () => dns.promises.lookup("a".repeat(300)),
  "servers that are none": () => dns.setServers(["nowhere"]),
};

const terminalCalls: Calls = {
  "lines of a stream": async () => {
    const input = new PassThrough();
    const lines = readline.createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    const seen = pick(lines, "terminal", "line", "cursor");
    input.end("one\r\ntwo\nthree");
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return [seen, all, lines.getPrompt()];
  },
  "a question": async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const asking = readline.createInterface({ input, output, terminal: true, prompt: "$ ", history: ["before"] });
    const answered = new Promise((resolve) => asking.question("name? ", resolve));
    input.write("me\r");
    const found = [await answered, asking.terminal, Reflect.get(asking, "history"), asking.getCursorPos()];
    asking.close();
    return [found, String(output.read())];
  },
  cursor: () => {
    const output = new PassThrough();
    readline.cursorTo(output, 1, 2);
    readline.moveCursor(output, -1, 1);
    readline.clearLine(output, 0);
    readline.clearScreenDown(output);
    return String(output.read());
  },
  "no terminal": () => [tty.isatty(1000), tty.isatty(-1)],
  "a stream of no terminal": () => new tty.WriteStream(1000),
  colours: () => tty.WriteStream.prototype.getColorDepth.call({}, { TERM: "xterm-256color", COLORTERM: "truecolor" }),
  streams: () =>
    [process.stdout, process.stderr, process.stdin].map((stream) => [
      pick(stream, "fd", "isTTY", "columns", "rows", "writableHighWaterMark", "writable", "_type", "isRaw"),
      Object.getPrototypeOf(stream).constructor.name,
      "getColorDepth" in stream && [stream.getColorDepth(), stream.hasColors(256), stream.getWindowSize()],
    ]),
};

const engineCalls: Calls = {
  console: () => keys(inspector.console as object).filter((name) => name !== "createTask"),
  session: async () => {
    const session = new inspector.Session();
    session.connect();
    const evaluated = await new Promise((resolve) =>
      session.post("Runtime.evaluate", { expression: "6 * 7" }, (error, result) => resolve(error ?? result)),
    );
    session.disconnect();
    return evaluated;
  },
  "heap spaces": () => v8.getHeapSpaceStatistics().map(keys),
  "heap code": () => keys(v8.getHeapCodeStatistics()),
  serialize: () => v8.deserialize(v8.serialize({ a: [1, new Date(0), new Map([[1, 2]])] })),
  coverage: () => [v8.takeCoverage(), v8.stopCoverage()],
  "promise hooks": async () => {
    const seen: string[] = [];
    const stop = v8.promiseHooks.onInit(() => seen.push("init"));
    await null;
    stop();
    return seen.length > 0;
  },
};

const measureCalls: Calls = {
  "marks and measures": () => {
    performance.mark("sweep a", { detail: 1 });
    performance.mark("sweep b");
    const { name, entryType, detail } = performance.measure("sweep", "sweep a", "sweep b");
    const found = performance.getEntriesByType("mark").filter((entry) => entry.name.startsWith("sweep"));
    performance.clearMarks("sweep a");
    performance.clearMarks("sweep b");
    performance.clearMeasures("sweep");
    return [name, entryType, detail, found.map((entry) => [entry.name, Reflect.get(entry, "detail")])];
  },
  timerify: () => {
    const timed = performance.timerify(function named(one: number, two: number) {
      return one + two;
    });
    return [timed.name, timed.length, timed(1, 2)];
  },
  histogram: () => {
    const histogram = createHistogram();
    histogram.record(5);
    return [histogram.count, histogram.min, histogram.max, histogram.mean];
  },
  "entry types": () => Reflect.get(PerformanceObserver, "supportedEntryTypes"),
  timings: () => {
    const { nodeStart, v8Start, environment, bootstrapComplete } = performance.nodeTiming;
    return [nodeStart >= 0, v8Start >= nodeStart, environment >= v8Start, bootstrapComplete >= environment];
  },
  "node:diagnostics_channel": () => {
    const told: unknown[] = [];
    const channel = channels.channel("sweep");
    const listen = (message: unknown) => told.push(message);
    channel.subscribe(listen);
    channel.publish({ a: 1 });
    const seen = [channel.hasSubscribers, channels.hasSubscribers("sweep"), channel.name];
    return [seen, channel.unsubscribe(listen), channel.hasSubscribers, told];
  },
};
