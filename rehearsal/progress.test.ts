import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../tests/support/index.ts';
import { createProgress } from './progress.ts';
import type { Progress } from './progress.ts';

const QUIET_MS = 20;
const SNAPSHOT = {
  stage: 'reconcile inventory',
  orders: '120/400 orders',
  requests: 1_234,
  failed: 0,
  lag: '7',
  shares: 'inventory: legacy, reads 50 %; payment: legacy, reads 0 %',
};

/** What a person sees, in a terminal of so many columns or in a file. */
function watched(
  terminal: { readonly columns?: number; readonly isTTY?: boolean },
  env: Record<string, string>,
): { readonly progress: Progress; seen(): string } {
  const stream = Object.assign(new PassThrough(), terminal) as unknown as NodeJS.WriteStream;
  let text = '';
  (stream as unknown as PassThrough).on('data', (data: Buffer) => (text += String(data)));
  return { progress: createProgress(stream, { env, quietMs: QUIET_MS }), seen: () => text };
}

describe('progress in a terminal', () => {
  it('is one line that is drawn again, with all of its parts that fit', async () => {
    const { progress, seen } = watched({ isTTY: true, columns: 80 }, { TERM: 'xterm' });
    progress.update(SNAPSHOT);
    await eventually(() => seen().split('\r').length > 3);
    progress.end();
    expect(seen()).not.toContain('\n');
    const lines = seen().split('\r\x1b[2K');
    expect(lines[1]).toBe(
      'reconcile inventory, 0 s | 120/400 orders | 0 of 1234 requests failed | lag 7',
    );
    expect(lines.at(-1)).toBe('');
    const wide = watched({ isTTY: true, columns: 200 }, {});
    wide.progress.update(SNAPSHOT);
    wide.progress.end();
    expect(wide.seen()).toContain(SNAPSHOT.shares);
  });

  it('makes room for what is said', () => {
    const { progress, seen } = watched({ isTTY: true, columns: 80 }, {});
    progress.stage('starting');
    progress.say('Run 1');
    progress.end();
    expect(seen()).toContain('\r\x1b[2KRun 1\n\r\x1b[2Kstarting, 0 s');
  });
});

describe.each([
  ['a pipe', {}, {}],
  ['a dumb terminal', { isTTY: true, columns: 80 }, { TERM: 'dumb' }],
])('progress in %s', (_name, terminal, env) => {
  it('is a line every few seconds, without control characters', async () => {
    const { progress, seen } = watched(terminal, env);
    progress.stage('starting');
    await eventually(() => seen().split('\n').length > 2);
    progress.update(SNAPSHOT);
    await eventually(() => seen().includes('lag 7 | inventory: legacy'));
    progress.end();
    expect(seen().replaceAll('\n', '')).toMatch(/^[ -~]+$/);
    expect(seen()).toMatch(/^ +starting, 0 s\n/);
  });

  it('says nothing more at its end', async () => {
    const { progress, seen } = watched(terminal, env);
    progress.say('Run 1');
    progress.stage('starting');
    progress.end();
    const other = watched(terminal, env);
    other.progress.stage('later');
    await eventually(() => other.seen().split('\n').length > 3);
    other.progress.end();
    expect(seen()).toBe('Run 1\n');
  });
});
