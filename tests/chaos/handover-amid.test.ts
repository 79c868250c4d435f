import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { createProgress } from '../../rehearsal/index.ts';
import { inSoak, showOnFailure } from '../support/index.ts';
import { withFaultyShop } from './faults/faulty-shop.ts';
import { AMID, handOverAmid } from './faults/handover-amid.ts';
import type { Amid } from './faults/handover-amid.ts';

const AMIDS = inSoak<readonly Amid[]>(AMID, ['an exhausted bucket']);
const SILENT = new PassThrough().resume() as unknown as NodeJS.WriteStream;

it('hands over, and back, in the middle of what the gateway does', async () => {
  const { signal } = new AbortController();
  const progress = createProgress(inSoak(process.stderr, SILENT));
  const options = {
    patient: true,
    twoInstances: inSoak(true, false),
    onStart: showOnFailure,
  };
  const { reports, broken } = await withFaultyShop(options, (shop) =>
    handOverAmid(shop, AMIDS, progress, signal),
  );
  progress.end();
  const told = reports.flatMap((report) =>
    report.broken.map((text) => `${report.amid}, to ${report.to}: ${text}`),
  );
  expect([...told, ...broken]).toEqual([]);
  expect(reports).toHaveLength(2 * AMIDS.length);
}, 600_000);
