import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, makeTokenFile, tokenIn } from '../../chassis/index.ts';
import type { OperatorToken } from '../../chassis/index.ts';
import { sealEntry } from '../../chassis/redis/index.ts';
import { RegisteredInstances } from './registered-instances.ts';

function madeToken(): OperatorToken {
  const folder = mkdtempSync(join(tmpdir(), 'fig-token-'));
  const file = join(folder, 'token');
  makeTokenFile(file);
  const token = tokenIn(file);
  const [sealed, accepts] = [token.seal('a', 'b'), token.unseal('a', token.seal('a', 'b'))];
  expect([sealed, accepts]).toEqual([expect.stringMatching(/ b$/), 'b']);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return token;
}

const token = madeToken();
const ONE = 'http://10.0.0.1:4001';
const TWO = 'http://10.0.0.2:4001';

function entryOf(url: string, beat: number, by = token, service = 'stock'): string {
  const startedAt = '2026-01-01T00:00:00.000Z';
  return sealEntry(by, service, { url, beat, version: 'v1', capabilities: ['stock'], startedAt });
}

function copy(lines: string[] = []): RegisteredInstances {
  const log = createLog('test', 'info', { write: (line) => lines.push(line) });
  return new RegisteredInstances({ service: 'stock', networks: ['10.0.0.0/24'], token, log });
}

const urls = ({ alive }: RegisteredInstances): readonly string[] => alive.map(({ url }) => url);

describe('the copy of what is registered', () => {
  it('holds an entry that goes on changing for alive, and another for dead after 15 s', () => {
    const known = copy();
    for (let now = 0; now < 15_000; now += 1_000) {
      const stored = { [ONE]: entryOf(ONE, now), [TWO]: entryOf(TWO, 1) };
      expect(known.read(stored, now, 0)).toEqual([]);
      expect(urls(known)).toEqual([ONE, TWO]);
    }
    known.read({ [ONE]: entryOf(ONE, -1), [TWO]: entryOf(TWO, 1) }, 15_000, 0);
    expect(urls(known)).toEqual([ONE]);
    expect(known.read({ [TWO]: entryOf(TWO, 1) }, 60_000, 0)).toEqual([TWO]);
    known.read({ [TWO]: entryOf(TWO, 2) }, 61_000, 0);
    expect(urls(known)).toEqual([TWO]);
  });

  it('lets go of what has deregistered at once, but not while a Redis fills that was away', () => {
    const known = copy();
    known.read({ [ONE]: entryOf(ONE, 1), [TWO]: entryOf(TWO, 1) }, 10_000, 0);
    known.read({ [ONE]: entryOf(ONE, 1) }, 11_000, 0);
    expect(urls(known)).toEqual([ONE]);
    known.read({}, 500_000, 499_000);
    expect(urls(known)).toEqual([ONE]);
    known.read({}, 505_000, 499_000);
    expect(urls(known)).toEqual([]);
  });

  it('takes nothing that is forged, of another service, moved, malformed, or of another network', () => {
    const lines: string[] = [];
    const known = copy(lines);
    const other = 'http://10.0.1.1:4001';
    const named = 'http://stock.internal:4001';
    known.read(
      {
        [ONE]: entryOf(ONE, 1, madeToken()),
        [TWO]: entryOf(ONE, 1),
        'http://10.0.0.3:4001': entryOf('http://10.0.0.3:4001', 1, token, 'payment'),
        'http://10.0.0.4:4001': token.seal('service:stock', '{}'),
        [other]: entryOf(other, 1),
        [named]: entryOf(named, 1),
        garbage: 'garbage',
      },
      0,
      0,
    );
    expect([urls(known), known.ignored]).toEqual([[], 7]);
    expect(lines.join('')).toContain('no process with our token has written it');
    const { length } = lines;
    known.read({ [other]: entryOf(other, 2) }, 1_000, 0);
    expect([known.ignored, lines.length]).toEqual([1, length]);
  });

  it('goes on with an entry that another writer overwrote, until its process has written it again', () => {
    const known = copy();
    known.read({ [ONE]: entryOf(ONE, 1) }, 0, 0);
    known.read({ [ONE]: 'forged' }, 1_000, 0);
    expect([urls(known), known.ignored]).toEqual([[ONE], 1]);
    known.read({ [ONE]: entryOf(ONE, 2) }, 2_000, 0);
    expect([urls(known), known.ignored]).toEqual([[ONE], 0]);
  });
});
