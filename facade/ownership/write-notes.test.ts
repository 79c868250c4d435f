import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { WriteNotes } from './write-notes.ts';

function settledNotes(limit?: number): WriteNotes {
  const notes = new WriteNotes(limit);
  notes.settle(notes.beginBarrier());
  return notes;
}

function wrote(notes: WriteNotes, customer: string): void {
  notes.begin(customer);
  notes.end(customer);
}

describe('notes of who wrote', () => {
  it('settle nobody before the first barrier', () => {
    const notes = new WriteNotes();
    expect(notes.isSettled('C1')).toBe(false);
    expect(notes.hasUnsettled).toBe(true);
    notes.settle(notes.beginBarrier());
    expect(notes.isSettled('C1')).toBe(true);
    expect(notes.hasUnsettled).toBe(false);
  });

  it('are settled only by a barrier that began after the answer', () => {
    const notes = settledNotes();
    notes.begin('C1');
    expect(notes.isSettled('C1')).toBe(false);
    expect(notes.isSettled('C2')).toBe(true);
    const early = notes.beginBarrier();
    notes.end('C1');
    notes.settle(early);
    expect(notes.isSettled('C1')).toBe(false);
    notes.settle(notes.beginBarrier());
    expect(notes.isSettled('C1')).toBe(true);
    expect(notes.size).toBe(0);
  });

  it('wait for the last of several writes', () => {
    const notes = settledNotes();
    notes.begin('C1');
    notes.begin('C1');
    notes.end('C1');
    notes.settle(notes.beginBarrier());
    expect(notes.isSettled('C1')).toBe(false);
    notes.end('C1');
    notes.settle(notes.beginBarrier());
    expect(notes.isSettled('C1')).toBe(true);
  });

  it('are bounded: whoever is forgotten counts as unsettled, with everybody else', () => {
    const notes = settledNotes(2);
    for (const customer of ['C1', 'C2', 'C3']) wrote(notes, customer);
    expect(notes.size).toBe(2);
    expect(notes.isSettled('C1')).toBe(false);
    expect(notes.isSettled('C9')).toBe(false);
    notes.settle(notes.beginBarrier());
    for (const customer of ['C1', 'C2', 'C3', 'C9']) expect(notes.isSettled(customer)).toBe(true);
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
          const notes = new WriteNotes(limit);
          let time = 0;
          const lastEnd = new Map<string, number>();
          const open = new Map<string, number>();
          const begun: { barrier: number; at: number }[] = [];
          let proved = -1;
          for (const { kind, customer: who } of steps) {
            time += 1;
            if (kind === 'begin' || kind === 'write') {
              notes.begin(who);
              open.set(who, (open.get(who) ?? 0) + 1);
            }
            if (kind === 'write' || (kind === 'end' && (open.get(who) ?? 0) > 0)) {
              notes.end(who);
              open.set(who, (open.get(who) ?? 0) - 1);
              lastEnd.set(who, time);
            }
            if (kind === 'barrier') begun.push({ barrier: notes.beginBarrier(), at: time });
            const answered = kind === 'answer' ? begun.shift() : undefined;
            if (answered) {
              notes.settle(answered.barrier);
              proved = Math.max(proved, answered.at);
            }
            for (const each of ['C1', 'C2', 'C3', 'C4']) {
              if (!notes.isSettled(each)) continue;
              expect(open.get(each) ?? 0).toBe(0);
              expect(proved).toBeGreaterThan(lastEnd.get(each) ?? -1);
            }
          }
        },
      ),
    );
  });
});
