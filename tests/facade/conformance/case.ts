import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import type { Reply } from './raw-upstream.ts';
import type { Target } from './target.ts';

/** One thing that a facade must do, and how to see what it does. */
export interface Case {
  readonly group: string;
  readonly name: string;
  /** What is right, in a few words. */
  readonly must: string;
  /** What our facade does, in the words of `run`. */
  readonly ours: string;
  /** It is about something that only our facade has. */
  readonly oursOnly?: boolean;
  /** @returns what was seen, such as `400, closed; upstream: nothing` */
  run(target: Target): Promise<string>;
}

/** How long nothing more must come before nothing more is expected. */
const QUIET_MS = 40;

interface BytesCase {
  readonly name: string;
  /** What the client sends, line ends and all; the pieces apart from each other. */
  readonly sends: string | readonly string[];
  readonly must: string;
  readonly ours: string;
  readonly reply?: Reply;
  /** How many answers are waited for. */
  readonly answers?: number;
}

/** Cases that send bytes, and look at what came back and at what the upstream was sent. */
export function bytesCases(group: string, cases: readonly BytesCase[]): readonly Case[] {
  return cases.map(({ name, sends, must, ours, reply, answers = 1 }) => ({
    group,
    name,
    must,
    ours,
    async run({ port, upstream }) {
      upstream.reset();
      if (reply) upstream.reply = reply;
      const client = new RawClient(port);
      try {
        for (const [index, piece] of [sends].flat().entries()) {
          if (index > 0) await delay(QUIET_MS);
          client.socket.write(piece, 'latin1');
        }
        await settled(client, answers);
        const seen = upstream.seen.map((each) => `${each.method} ${each.target}`);
        const unread = upstream.bytes > 0 && seen.length === 0 ? 'part of a request' : 'nothing';
        const statuses = client.statuses.join(' ') || 'no answer';
        const end = client.ending === undefined ? '' : ', closed';
        return `${statuses}${end}; upstream: ${seen.join(' and ') || unread}`;
      } finally {
        client.close();
      }
    },
  }));
}

async function settled(client: RawClient, answers: number): Promise<void> {
  const soon = { timeoutMs: 3_000, intervalMs: 5 };
  await eventually(
    () => client.statuses.length >= answers || client.ending !== undefined,
    soon,
  ).catch(() => undefined);
  if (/\r\nconnection: close/i.test(client.text)) {
    await eventually(() => client.ending !== undefined, soon).catch(() => undefined);
  }
  await delay(QUIET_MS);
}
