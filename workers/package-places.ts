/** Where a package, or a file of one, would be that was asked for and is not there. */
import { existsSync } from "node:fs";
import path from "node:path";
import { filesOf } from "../src/common/compile/candidates.js";
import { readSpecifier } from "../src/common/compile/specifier.js";
import { isBelowPackages } from "../src/common/paths.js";

const NAME = /^(?:@[^/]+\/)?[^/]+/;

/** Folders above the root count where packages are installed. None for what is no package's. */
export function missingPackagePlaces(specifier: string, importer: string, root: string): string[] {
  const read = readSpecifier(specifier, "require");
  if (read.type === "path") {
    const target = path.resolve(path.dirname(importer), read.request);
    return isBelowPackages(target) ? filesOf(target, "node") : [];
  }
  const [name] = NAME.exec(specifier) ?? [];
  if (read.type !== "package" || name === undefined || name.startsWith("#")) return [];
  const places: string[] = [];
  for (let folder = path.dirname(importer); ; folder = path.dirname(folder)) {
    if (path.basename(folder) !== "node_modules") {
      const packages = path.join(folder, "node_modules");
      const place = path.join(packages, name);
      // It is there, but not what was asked of it.
      if (specifier !== name && existsSync(place)) return [place, ...filesOf(path.join(packages, specifier), "node")];
      if (folder === root || existsSync(packages)) places.push(place);
    }
    if (path.dirname(folder) === folder) return places;
  }
}
