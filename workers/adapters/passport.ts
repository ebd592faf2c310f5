/** passport (0.4 to 0.7): strategies by name, and lists of (de)serializers, of which the first wins. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { type Collection, watchRegistrations } from "./registrations.js";

interface Authenticator {
  readonly _strategies: Record<string, unknown>;
  readonly _serializers: unknown[];
  readonly _deserializers: unknown[];
  readonly _infoTransformers: unknown[];
}

export default {
  name: "passport",
  packages: ["passport"],
  attach({ exports }, context) {
    const passport = exports.default ?? exports;
    watchRegistrations<Authenticator>(
      passport.Authenticator?.prototype ?? passport.Passport?.prototype,
      {
        what: "passport registration",
        methods: ["use", "serializeUser", "deserializeUser", "transformAuthInfo"],
        collections: (self): Collection[] => [
          self._strategies,
          self._serializers,
          self._deserializers,
          self._infoTransformers,
        ],
      },
      context,
    );
    return undefined;
  },
} satisfies Adapter;
