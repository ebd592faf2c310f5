/** Accepts new versions for those who import `settings` alone, and says by itself when that will not do. */
export const settings = { currency: "EUR" };

const { hot } = import.meta;
if (hot) {
  hot.acceptExports(["settings"], (version) => {
    if (version.settings.currency !== settings.currency) hot.invalidate("prices are in another currency now");
  });
  hot.prune(() => console.log("settings.js: nobody imports it any more"));
  const told = ({ updates }) => console.log(`updates: ${updates.map(({ path }) => path).join(", ")}`);
  hot.on("vite:beforeUpdate", told);
  // Listeners go with the version that added them; this is for those that are to go earlier.
  if (process.argv.includes("--quiet")) hot.off("vite:beforeUpdate", told);
}
