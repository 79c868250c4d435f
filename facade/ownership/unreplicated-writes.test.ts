import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { UnreplicatedWrites } from './unreplicated-writes.ts';

function allReplicated(limit?: number): UnreplicatedWrites {
  const unreplicated = new UnreplicatedWrites(limit);
  unreplicated.settle(unreplicated.beginBarrier());
  return unreplicated;
}

function wrote(unreplicated: UnreplicatedWrites, customer: string): void {
  unreplicated.begin(customer);
  unreplicated.end(customer);
}

describe('the customers with unreplicated writes', () => {
  it('count every customer as unsettled before the first barrier', () => {
    const unreplicated = new UnreplicatedWrites();
    expect(unreplicated.isSettled('C1')).toBe(false);
    expect(unreplicated.hasUnsettled).toBe(true);
    unreplicated.settle(unreplicated.beginBarrier());
    expect(unreplicated.isSettled('C1')).toBe(true);
    expect(unreplicated.hasUnsettled).toBe(false);
  });

  it('are settled only by a barrier that began after the answer', () => {
    const unreplicated = allReplicated();
    unreplicated.begin('C1');
    expect(unreplicated.isSettled('C1')).toBe(false);
    expect(unreplicated.isSettled('C2')).toBe(true);
    const early = unreplicated.beginBarrier();
    unreplicated.end('C1');
    unreplicated.settle(early);
    expect(unreplicated.isSettled('C1')).toBe(false);
    unreplicated.settle(unreplicated.beginBarrier());
    expect(unreplicated.isSettled('C1')).toBe(true);
    expect(unreplicated.size).toBe(0);
  });

  it('wait for the last of several writes', () => {
    const unreplicated = allReplicated();
    unreplicated.begin('C1');
    unreplicated.begin('C1');
    unreplicated.end('C1');
    unreplicated.settle(unreplicated.beginBarrier());
    expect(unreplicated.isSettled('C1')).toBe(false);
    unreplicated.end('C1');
    unreplicated.settle(unreplicated.beginBarrier());
    expect(unreplicated.isSettled('C1')).toBe(true);
  });

  it('are bounded: a customer whose entry is dropped counts as unsettled, like all others', () => {
    const unreplicated = allReplicated(2);
    for (const customer of ['C1', 'C2', 'C3']) wrote(unreplicated, customer);
    expect(unreplicated.size).toBe(2);
    expect(unreplicated.isSettled('C1')).toBe(false);
    expect(unreplicated.isSettled('C9')).toBe(false);
    unreplicated.settle(unreplicated.beginBarrier());
    for (const customer of ['C1', 'C2', 'C3', 'C9'])
      expect(unreplicated.isSettled(customer)).toBe(true);
  });

  it('never call settled what no later barrier has proved', () => {
    const customer = fc.constantFrom('C1', 'C2', 'C3', 'C4');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), customer }),
      fc.record({ kind: fc.constant('begin' as const), customer }),
      fc.record({ kind: fc.constant('end' as const), customer }),
      fc.record({ kind: fc.constant('barrier' as const), customer }),
      fc.record({ kind: fc.constant('answer' as const), customer }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (steps, limit) => {
          const unreplicated = new UnreplicatedWrites(limit);
          let time = 0;
          const lastEnd = new Map<string, number>();
          const open = new Map<string, number>();
          const begun: { barrier: number; at: number }[] = [];
          let proved = -1;
          for (const { kind, customer: who } of steps) {
            time += 1;
            if (kind === 'begin' || kind === 'write') {
              unreplicated.begin(who);
              open.set(who, (open.get(who) ?? 0) + 1);
            }
            if (kind === 'write' || (kind === 'end' && (open.get(who) ?? 0) > 0)) {
              unreplicated.end(who);
              open.set(who, (open.get(who) ?? 0) - 1);
              lastEnd.set(who, time);
            }
            if (kind === 'barrier') begun.push({ barrier: unreplicated.beginBarrier(), at: time });
            const answered = kind === 'answer' ? begun.shift() : undefined;
            if (answered) {
              unreplicated.settle(answered.barrier);
              proved = Math.max(proved, answered.at);
            }
            for (const each of ['C1', 'C2', 'C3', 'C4']) {
              if (!unreplicated.isSettled(each)) continue;
              expect(open.get(each) ?? 0).toBe(0);
              expect(proved).toBeGreaterThan(lastEnd.get(each) ?? -1);
            }
          }
        },
      ),
    );
  });
});
