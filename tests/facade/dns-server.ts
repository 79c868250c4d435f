import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

const A = 1;
const SRV = 33;
const HEADER_BYTES = 12;
/** An answer, recursion available; and with the code that there is no such name. */
const FOUND = 0x8580;
const NOT_FOUND = 0x8583;

/** A name server over UDP, with records that may be changed at any time. */
export interface DnsServer {
  /** Address and port. */
  readonly address: string;
  /** Addresses by name. */
  readonly a: Map<string, readonly string[]>;
  /** Targets and ports by name. */
  readonly srv: Map<string, readonly { readonly target: string; readonly port: number }[]>;
  close(): Promise<void>;
}

/** Starts one, as RFC 1035 and RFC 2782 have it, for questions of one name each. */
export async function startDnsServer(): Promise<DnsServer> {
  const a: DnsServer['a'] = new Map();
  const srv: DnsServer['srv'] = new Map();
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, { address, port }: RemoteInfo) => {
    const { name, end } = nameIn(query);
    const type = query.readUInt16BE(end);
    const found = type === A ? a.get(name)?.map(bytesOf) : undefined;
    const records = found ?? (type === SRV ? srv.get(name)?.map(serviceBytes) : undefined);
    const question = query.subarray(HEADER_BYTES, end + 4);
    socket.send(answerTo(query.readUInt16BE(0), question, type, records), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    a,
    srv,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answerTo(
  id: number,
  question: Buffer,
  type: number,
  records: readonly Buffer[] | undefined,
): Buffer {
  const header = words(id, records ? FOUND : NOT_FOUND, 1, records?.length ?? 0, 0, 0);
  const answers = (records ?? []).map((data) =>
    // The name is that of the question; class IN, a TTL of a minute.
    Buffer.concat([words(0xc000 + HEADER_BYTES, type, 1, 0, 60, data.length), data]),
  );
  return Buffer.concat([header, question, ...answers]);
}

function nameIn(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

function bytesOf(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function serviceBytes({
  target,
  port,
}: {
  readonly target: string;
  readonly port: number;
}): Buffer {
  const labels = target
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([words(0, 0, port), ...labels, Buffer.from([0])]);
}
