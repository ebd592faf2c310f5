/** Accepts its own new versions: importers are not evaluated again. `data` goes from one version to the next. */
export const versions = (import.meta.hot?.data.versions ?? 0) + 1;
export const greeting = () => "Hello";

import.meta.hot?.dispose((data) => {
  data.versions = versions;
});
import.meta.hot?.accept((version) => {
  console.log(`greeting.js: version ${version.versions}`);
});
