/** What is said of the way that a request has come. */
export interface Forwarding {
  /** Addresses, the client's first. */
  readonly chain: string;
  readonly proto: string;
  readonly host: string;
}

export const NO_FORWARDING: Forwarding = { chain: '', proto: '', host: '' };

const ADDRESS = /^[\w.:[\]%-]{1,64}$/;
const HOST = /^[\w.~!$&'()*+,;=%[\]:-]*$/;

/**
 * What upstreams are told of the way of a request.
 * @param seen what this hop has seen for itself
 * @param claimed what the request says of the hops before
 * @param trustedHops so many proxies before us are ours: the last that many entries were made by
 *   them, or by what they saw; anything before may be made up by the client
 */
export function forwarding(seen: Forwarding, claimed: Forwarding, trustedHops: number): Forwarding {
  if (trustedHops === 0 || claimed === NO_FORWARDING) return seen;
  const entries = claimed.chain.split(',').map((entry) => entry.trim());
  const known: string[] = [];
  for (const entry of entries.slice(-trustedHops).toReversed()) {
    if (!ADDRESS.test(entry)) break;
    known.unshift(entry);
  }
  const host = claimed.host.trim();
  return {
    chain: [...known, seen.chain].join(', '),
    proto: claimed.proto === 'https' || claimed.proto === 'http' ? claimed.proto : seen.proto,
    host: host !== '' && HOST.test(host) ? host : seen.host,
  };
}
