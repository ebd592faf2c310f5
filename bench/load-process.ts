/**
 * Arguments: port, connections, requests. Keeps one request in flight on each connection and sends the latencies in
 * microseconds to its starter. Answers are recognised by their length, which is the first answer's: an HTTP parser
 * would take as long as what is measured.
 */
import { once } from "node:events";
import { connect } from "node:net";

const [port = 0, connections = 1, requests = 0] = process.argv.slice(2).map(Number);
const REQUEST = Buffer.from("GET / HTTP/1.1\r\nHost: bench\r\n\r\n");

const latencies: number[] = [];
let unsent = requests;

await Promise.all(Array.from({ length: connections }, runConnection));
process.send?.(latencies, () => process.disconnect());

async function runConnection(): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let began = 0n;
  let received = 0;
  let length = 0;
  const send = () => {
    if (unsent === 0) return void socket.end();
    unsent -= 1;
    received = 0;
    began = process.hrtime.bigint();
    socket.write(REQUEST);
  };
  socket.on("data", (bytes) => {
    received += bytes.length;
    length ||= answerLength(bytes);
    if (received < length) return;
    latencies.push(Number(process.hrtime.bigint() - began) / 1000);
    send();
  });
  send();
  await once(socket, "close");
}

/** Length of head and body of an answer whose head has arrived. */
function answerLength(bytes: Buffer): number {
  const text = bytes.toString("latin1");
  const head = text.indexOf("\r\n\r\n") + 4;
  const body = /^content-length: (\d+)\r$/im.exec(text)?.[1];
  if (head < 4 || body === undefined) throw new Error(`not an answer of known length: ${text}`);
  return head + Number(body);
}
