/** The caller of a request, as far as that is proven. */
export interface Identity {
  /** The token's subject; undefined for a caller without a token, on a route that needs none. */
  readonly subject: string | undefined;
  /** By lower-case name of a header that names whom a request is about: the only value it may have. */
  readonly names: Readonly<Record<string, string | undefined>>;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** The proof of this identity for an upstream, by its name in the configuration: header names and values in turn. */
  proofFor(upstream: string): readonly string[];
}
