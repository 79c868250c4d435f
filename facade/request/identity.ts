/** Who a request comes from, as far as that is proven. */
export interface Identity {
  /** The token's subject. */
  readonly subject: string;
  /** The customer whose things are the caller's own; undefined for staff and machines. */
  readonly customer: string | undefined;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** What tells an upstream, by its name in the configuration, who asks: header names and values in turn. */
  proofFor(upstream: string): readonly string[];
}
