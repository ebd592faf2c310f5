/** Opens a page in the browser of the desktop, if there is one. */
import { spawn } from "node:child_process";

/** False: nobody sits here who could see it. */
export function openUrl(url: string, { platform, env }: Pick<NodeJS.Process, "platform" | "env"> = process): boolean {
  const command = openerOf(platform, env);
  if (command === undefined) return false;
  const [program, ...args] = command;
  // Its own end is nobody's affair, and it must not end with us.
  const opener = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  opener.on("error", () => undefined).unref();
  return true;
}

function openerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): readonly [string, ...string[]] | undefined {
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  const hasDesktop = [env.DISPLAY, env.WAYLAND_DISPLAY, env.BROWSER, env.WSL_DISTRO_NAME].some((value) => value);
  return hasDesktop ? ["xdg-open"] : undefined;
}
