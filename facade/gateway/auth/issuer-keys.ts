import { createRemoteJWKSet, customFetch } from 'jose';
import type { JWTVerifyGetKey } from 'jose';
import { errorText } from '../../../chassis/index.ts';
import type { Logger } from '../../../chassis/index.ts';
import type { IssuerTrouble } from '../../forward/index.ts';

/** The largest key set that is read. */
const MOST_BYTES = 256 * 1_024;
const TIMEOUT_MS = 3_000;
/** An issuer is asked for a key that is not known this often at most, whether it answers or not. */
const COOLDOWN_MS = 5_000;
/** A key that the issuer has withdrawn counts no longer than this, where the issuer answers. */
const REFRESH_MS = 5 * 60_000;

/** An issuer's public keys, from its JWKS. Those that were read last go on while it is away. */
export class IssuerKeys {
  readonly get: JWTVerifyGetKey;
  /** Why they could not be read when they were last asked for. */
  trouble: IssuerTrouble | undefined;
  #readAt: number | null = null;
  readonly #refresh: NodeJS.Timeout;

  constructor(url: string, log: Logger) {
    let askedAt = -Infinity;
    const keys = createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      // jose counts its cool-down from the last success: an issuer that is ill would be asked each time.
      [customFetch]: async (at, options) => {
        const now = performance.now();
        if (now - askedAt < COOLDOWN_MS) throw new Error('its keys were asked for just now');
        askedAt = now;
        return this.#watched(url, () => keySet(at, options));
      },
    });
    this.get = keys;
    this.#refresh = setInterval(() => {
      keys.reload().catch((error: unknown) => {
        log.warn(
          { err: error, url },
          'the issuer does not give its keys; those read before still count',
        );
      });
    }, REFRESH_MS).unref();
  }

  async #watched(url: string, read: () => Promise<Response>): Promise<Response> {
    try {
      const answer = await read();
      this.trouble = undefined;
      this.#readAt = Date.now();
      return answer;
    } catch (error) {
      this.trouble = { url, reason: errorText(error), readAt: this.#readAt };
      throw error;
    }
  }

  close(): void {
    clearInterval(this.#refresh);
  }
}

/** @throws Error for an answer that is no key set */
async function keySet(url: string, options: RequestInit): Promise<Response> {
  const answer = await bounded(await fetch(url, options));
  if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
  const { keys } = (await answer.clone().json()) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('what it answers is no key set');
  return answer;
}

/** The same answer with its body read, up to a bound. @throws Error when it is larger */
async function bounded(answer: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`a key set of more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { status, headers } = answer;
  return new Response(Buffer.concat(chunks), { status, headers });
}
