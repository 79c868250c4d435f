import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { createProgress } from '../../rehearsal/index.ts';
import { inSoak, showOnFailure } from '../support/index.ts';
import { aFourthOfAll } from './faults/cells.ts';
import type { Cell } from './faults/cells.ts';
import { withFaultyShop } from './faults/faulty-shop.ts';
import { tryAll } from './faults/run.ts';

/** One of each fault, of what every request needs at the start of a move. */
const SMOKE: readonly Cell[] = [
  { fault: 'latency', target: 'monolith', stage: 'legacy' },
  { fault: 'half a body', target: 'JWKS', stage: 'legacy' },
  { fault: 'slow close', target: 'monolith', stage: 'legacy' },
  { fault: 'black hole', target: 'Redis', stage: 'legacy' },
  { fault: 'bandwidth', target: 'monolith', stage: 'legacy' },
  { fault: 'reset', target: 'monolith', stage: 'legacy' },
];
/** `npm run chaos:faults` tries all of them, which takes ten minutes. */
const CELLS = inSoak(aFourthOfAll(), SMOKE);
const LENGTHS = inSoak({ beforeMs: 1_000, faultMs: 2_000 }, { beforeMs: 300, faultMs: 600 });
const SILENT = new PassThrough().resume() as unknown as NodeJS.WriteStream;

it('keeps what is promised while what the facade talks to is ill', async () => {
  const { signal } = new AbortController();
  const progress = createProgress(inSoak(process.stderr, SILENT));
  const report = await withFaultyShop({ onStart: showOnFailure }, (shop) =>
    tryAll(shop, CELLS, progress, signal, LENGTHS),
  );
  progress.end();
  expect(report).toMatchObject({ broken: [], facts: { cells: CELLS.length, verdict: 'kept' } });
}, 600_000);
