import { createServer } from "node:http";

createServer((request, response) => {
  // A breakpoint on the next line holds after each save of this file.
  const answer = `You asked for ${request.url}\n`;
  response.end(answer);
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
