import { describe, expect, it } from '@jest/globals';
import './rehearsal.test.ts';
import { broken, run } from './run.ts';

describe('a rehearsal', () => {
  it('with sixteen clients, fails no request and loses nothing', async () => {
    const report = await run({ orders: 160, seed: 5, concurrency: 16 });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.converged).toBe(true);
  }, 600_000);

  it('with authentication on, shows nobody what is another customer’s, whoever owns it', async () => {
    const report = await run({ orders: 160, seed: 7, auth: true });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    expect(report.requests).toMatchObject({ failed: 0, staleReads: 0 });
    expect(report.converged).toBe(true);
  }, 600_000);

  it('with processes killed on the way, fails only what needed them', async () => {
    const report = await run({ orders: 200, seed: 6, killSeed: 1 });
    expect(report.examples).toEqual([]);
    expect(broken(report)).toEqual([]);
    expect(report.expectedFailed.length).toBeGreaterThan(3);
    const explained = report.expectedFailed.reduce((sum, { requests }) => sum + requests, 0);
    expect(report.requests.failed).toBe(explained);
    expect(report.orders.failed).toBe(0);
    expect(report.converged).toBe(true);
  }, 600_000);
});
