/** An app that is only exported: the supervisor's `fetch` needs no port. */
import handlebars from "handlebars";
import "./helpers.js";

export const sum = (...numbers) => numbers.reduce((total, number) => total + Number(number), 0);
const page = (request) => handlebars.compile(`{{loud "path"}} {{path}}`)({ path: new URL(request.url).pathname });

export default { fetch: (request) => new Response(page(request)) };
