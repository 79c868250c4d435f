import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { eventually } from '../../tests/support/index.ts';
import type { Verdict } from '../upstream/index.ts';
import { CircuitBreaker } from './breaker.ts';

const CONFIG = { failures: 0.5, windowMs: 60_000, minimum: 4, openMs: 60_000, probes: 2 };
const SOON = { ...CONFIG, openMs: 20 };

function make(config = CONFIG): CircuitBreaker {
  return new CircuitBreaker('x', config, createLog('test', 'silent'));
}

/** Sends a request for each verdict. @returns how many were let through */
function answer(breaker: CircuitBreaker, ...verdicts: Verdict[]): number {
  return verdicts.filter((verdict) => {
    const ticket = breaker.enter();
    if (ticket !== 0) breaker.leave(ticket, verdict);
    return ticket !== 0;
  }).length;
}

const halfOpen = (breaker: CircuitBreaker): Promise<unknown> =>
  eventually(() => breaker.state === 'half_open', { intervalMs: 2 });

describe('a circuit breaker', () => {
  it('stays closed below its minimum, and while no more than its share fails', () => {
    const breaker = make();
    expect(answer(breaker, 'ill', 'ill', 'ill')).toBe(3);
    expect(breaker.state).toBe('closed');
    const half = make();
    for (let n = 0; n < 50; n += 1) answer(half, 'well', 'ill');
    expect(half).toMatchObject({ state: 'closed', opened: 0 });
    // An exchange without a verdict counts neither for nor against the server.
    for (let n = 0; n < 50; n += 1) answer(breaker, undefined);
    expect(breaker.state).toBe('closed');
  });

  it('opens when more fails, tells so, and lets nothing through', () => {
    const breaker = make();
    let told = 0;
    breaker.onOpen = () => (told += 1);
    expect(answer(breaker, 'ill', 'well', 'ill', 'ill', 'ill', 'well')).toBe(4);
    expect(breaker).toMatchObject({ state: 'open', opened: 1 });
    expect(told).toBe(1);
    expect(breaker.msLeft).toBeGreaterThan(50_000);
    expect(breaker.enter()).toBe(0);
  });

  it('lets a few through later, and closes when all of these are answered well', async () => {
    const breaker = make(SOON);
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    await halfOpen(breaker);
    const tickets = [breaker.enter(), breaker.enter()];
    expect(tickets).not.toContain(0);
    expect(breaker.enter()).toBe(0);
    breaker.leave(tickets[0] ?? 0, 'well');
    expect(breaker.state).toBe('half_open');
    expect(breaker.enter()).toBe(0);
    breaker.leave(tickets[1] ?? 0, 'well');
    expect(breaker.state).toBe('closed');
    // What failed before is forgotten.
    expect(answer(breaker, 'ill', 'ill', 'ill')).toBe(3);
    expect(breaker.state).toBe('closed');
  });

  it('opens again with the first that fails', async () => {
    const breaker = make(SOON);
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    await halfOpen(breaker);
    expect(answer(breaker, 'well', 'ill')).toBe(2);
    expect(breaker.opened).toBe(2);
  });

  it('gives the place of one that ends untold to another', async () => {
    const breaker = make(SOON);
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    await halfOpen(breaker);
    expect(answer(breaker, undefined, undefined, undefined, 'well', undefined, 'well')).toBe(6);
    expect(breaker.state).toBe('closed');
  });

  it('does not go by what was sent before it opened', async () => {
    const breaker = make(SOON);
    const early = [breaker.enter(), breaker.enter(), breaker.enter()];
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    breaker.leave(early[0] ?? 0, 'ill');
    expect(breaker.opened).toBe(1);
    await halfOpen(breaker);
    const probe = breaker.enter();
    for (const ticket of early) breaker.leave(ticket, 'well');
    expect(breaker.state).toBe('half_open');
    breaker.leave(probe, 'well');
    breaker.leave(early[1] ?? 0, 'ill');
    expect(answer(breaker, 'well')).toBe(1);
    expect(breaker.state).toBe('closed');
  });

  it('forgets answers that are older than its window', async () => {
    const breaker = make({ ...CONFIG, windowMs: 100 });
    const before = performance.now();
    answer(breaker, 'ill', 'ill', 'ill');
    await eventually(() => performance.now() - before > 110);
    answer(breaker, 'ill');
    expect(breaker.state).toBe('closed');
  });

  it('is closed once nothing has been sent for a window: what failed before says nothing any more', async () => {
    const breaker = make({ ...SOON, windowMs: 100 });
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    await halfOpen(breaker);
    await eventually(() => breaker.state === 'closed', { intervalMs: 2 });
    // As after a handover to a server that has had no requests since: all of them come at once.
    const tickets = Array.from({ length: 20 }, () => breaker.enter());
    expect(tickets).not.toContain(0);
    for (const ticket of tickets) breaker.leave(ticket, 'well');
    expect(breaker.state).toBe('closed');
  });

  it('stays half-open for as long as one of the few is not answered', async () => {
    const breaker = make({ ...SOON, windowMs: 100 });
    answer(breaker, 'ill', 'ill', 'ill', 'ill');
    await halfOpen(breaker);
    const began = performance.now();
    const ticket = breaker.enter();
    await eventually(() => performance.now() - began > 150, { intervalMs: 5 });
    expect(breaker.state).toBe('half_open');
    breaker.leave(ticket, 'ill');
    expect(breaker.state).toBe('open');
  });
});
