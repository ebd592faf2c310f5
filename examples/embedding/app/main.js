/** The app: it knows nothing of its host. Express has taken the path that it is mounted at off the URL. */
import { menu } from "./menu.js";

export default function app(request, response) {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(request.url === "/menu" ? menu : { path: request.url, dishes: menu.length }));
}
