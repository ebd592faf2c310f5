/**
 * What a TLS server of the app proves who it is by, for the main thread: it speaks in the server's place while no thread can.
 * Both are threads of one process; it is kept nowhere else, and told to nobody.
 */

type Text = string | Uint8Array;

export interface Credentials {
  readonly key?: Text | readonly (Text | { readonly pem: Text; readonly passphrase?: string })[];
  readonly cert?: Text | readonly Text[];
  readonly ca?: Text | readonly Text[];
  readonly pfx?: Text | readonly (Text | { readonly buf: Text; readonly passphrase?: string })[];
  readonly passphrase?: string;
}

/** The names that `tls.createServer()` has for them, as options and as properties of the server. */
export const CREDENTIAL_NAMES = ["key", "cert", "ca", "pfx", "passphrase"] as const;
