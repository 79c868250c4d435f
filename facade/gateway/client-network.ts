import { isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const BRACKETED = /^\[([^\]]+)\](?::\d+)?$/;
const WITH_PORT = /^([^:]+):\d+$/;
const GROUPS = 8;
/** Of a /64. */
const KEPT = 4;

/**
 * The client that an address stands for: the address without a port, or of IPv6 the /64, in which one
 * host may take any address it likes.
 * @param address as the connection has it, or as a proxy of ours says it
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const host = (BRACKETED.exec(address) ?? WITH_PORT.exec(address) ?? MAPPED.exec(address))?.[1];
  const [plain = ''] = (host ?? address).split('%');
  if (!isIPv6(plain)) return plain;
  const mapped = MAPPED.exec(plain)?.[1];
  return mapped ?? `${groupsOf(plain).slice(0, KEPT).join(':')}::/64`;
}

function groupsOf(address: string): readonly string[] {
  const [left = [], right = []] = address
    .split('::')
    .map((half) => half.split(':').filter(Boolean));
  const missing = Math.max(0, GROUPS - left.length - right.length);
  const all = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  return all.map((group) => Number.parseInt(group, 16).toString(16));
}
