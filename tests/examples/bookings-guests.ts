import { setTimeout as delay } from 'node:timers/promises';
import { request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';

interface Booking {
  readonly id: number;
  readonly status: string;
}

/** What the guests were told, to be compared with what the databases say. */
export interface Told {
  /** The last status that each booking was said to have. */
  readonly bookings: ReadonlyMap<number, string>;
  readonly requests: number;
  /** Answers that no guest should get, as one text each. */
  readonly failures: readonly string[];
}

export interface Guests {
  /** How many requests have been answered. */
  answered(): number;
  stop(): Promise<Told>;
}

const THINK_MS = 40;

/**
 * Sends guests through a facade: each logs in, then looks at rooms, books, confirms, cancels, closes rooms and has
 * invoices written. Nothing is sent twice; each works with rooms of its own, so that no refusal is expected.
 */
export function sendGuests(facadeUrl: string, count: number): Guests {
  const bookings = new Map<number, string>();
  const failures: string[] = [];
  let requests = 0;
  let going = true;
  const guests = Array.from({ length: count }, async (_, guest) => {
    let cookie = '';
    const ask = async <T>(
      method: string,
      path: string,
      expected: number,
      body?: unknown,
    ): Promise<Answer<T> | undefined> => {
      requests += 1;
      const headers = cookie === '' ? {} : { cookie };
      const answer = await request<T>(method, `${facadeUrl}${path}`, {
        body,
        headers,
        timeoutMs: 30_000,
      }).catch((error: unknown) => error as Error);
      if (!(answer instanceof Error) && answer.status === expected) return answer;
      const what = answer instanceof Error ? answer.message : JSON.stringify(answer.body);
      const status = answer instanceof Error ? '' : answer.status;
      failures.push(`${method} ${path}: ${status} ${what}`);
      return undefined;
    };
    const email = `guest${guest + 1}@example.com`;
    const login = await ask('POST', '/api/login', 201, { email });
    cookie = String(login?.headers['set-cookie']).split(';')[0] ?? '';
    const say = (answer: Answer<Booking> | undefined): Booking | undefined => {
      if (answer !== undefined) bookings.set(answer.body.id, answer.body.status);
      return answer?.body;
    };
    for (let turn = 0; going; turn += 1) {
      const roomId = 1 + guest;
      const night = new Date(Date.UTC(2030, 0, 1 + turn * 2)).toISOString().slice(0, 10);
      const booking = say(
        await ask<Booking>('POST', '/api/bookings', 201, {
          roomId,
          firstNight: night,
          lastNight: night,
          guests: [{ name: `Zoë ${turn}`, age: 30 }],
          note: turn % 2 === 0 ? `turn ${turn}` : null,
        }),
      );
      await delay(THINK_MS);
      if (booking === undefined) continue;
      const read = await ask<Booking>('GET', `/api/bookings/${booking.id}`, 200);
      if (read !== undefined && read.body.status !== 'held') {
        failures.push(`booking ${booking.id} was read as ${read.body.status} after it was held`);
      }
      say(await ask<Booking>('POST', `/api/bookings/${booking.id}/confirm`, 200));
      if (turn % 3 === 0) say(await ask('POST', `/api/bookings/${booking.id}/cancel`, 200));
      await ask('GET', '/api/bookings', 200);
      await ask('GET', `/api/rooms/${roomId}`, 200);
      if (turn % 4 === 0) {
        await ask('PUT', `/api/rooms/${roomId}/closures/${night}`, 200, { reason: `turn ${turn}` });
        await ask('POST', '/api/reviews', 201, { roomId, stars: 4 });
      }
    }
  });
  return {
    answered: () => requests,
    async stop() {
      going = false;
      await Promise.all(guests);
      return { bookings, requests, failures };
    },
  };
}
