/** The error that Node would emit on a server that cannot listen. */
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/** `port` is -1 for unix sockets, as Node has it. */
export function listenError(code: string, address: string, port: number): Error {
  const errno = errnoOf(code);
  const description = errno === undefined ? "unknown error" : getSystemErrorMap().get(errno)?.[1];
  const place = port > 0 ? ` ${address}:${port}` : ` ${address}`;
  const error = new Error(`listen ${code}: ${description}${place}`);
  return Object.assign(error, { code, errno, syscall: "listen", address }, port !== 0 && { port });
}

function errnoOf(code: string): number | undefined {
  for (const [errno, [name]] of getSystemErrorMap()) if (name === code) return errno;
  const number = (constants.errno as Record<string, number>)[code];
  return number === undefined ? undefined : -number;
}
