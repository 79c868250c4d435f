import { readFileSync } from 'node:fs';

/** A server that is asked over HTTP, as a configuration names it. */
export interface ServerSettings {
  readonly url: string;
  /** The unix socket at which it listens; the URL then only says how it is called. */
  readonly socket?: string | undefined;
  /** A PEM file of the authorities that vouch for its certificate, instead of the usual ones. */
  readonly ca?: string | undefined;
}

/** What a client needs to know to reach a server. */
export interface ServerLocation {
  /** As it is named in messages: without a slash at its end. */
  readonly url: string;
  readonly origin: string;
  /** What stands before each path. */
  readonly prefix: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: string;
  /** What its URL does not say of the way to it, as both undici and node's own client take it. */
  readonly connect: { readonly socketPath?: string; readonly ca?: string };
}

/**
 * How to reach a server: whatever asks one that a configuration names does it by this.
 * @throws TypeError when its URL is none; an error of the file system when `ca` can't be read
 */
export function locate({ url, socket, ca }: ServerSettings): ServerLocation {
  const { origin, pathname, protocol, hostname, port } = new URL(url);
  return {
    url: url.replace(/\/+$/, ''),
    origin,
    prefix: pathname.replace(/\/+$/, ''),
    secure: protocol === 'https:',
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    connect: {
      ...(socket === undefined ? {} : { socketPath: socket }),
      ...(ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }),
    },
  };
}
