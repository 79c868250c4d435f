import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../../tests/support/index.ts';
import { entriesOf } from './event.ts';
import type { AuditEvent } from './event.ts';
import { operatorHeaders, operatorIn } from './operator.ts';
import { AuditTrail } from './trail.ts';

function asked(id: string, by: string, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    event: 'asked',
    id,
    at: 1_000,
    by,
    who: 'anna@desk',
    from: '127.0.0.1',
    via: 'fig',
    action: 'fig switch payment',
    capability: null,
    reason: null,
    order: null,
    evidence: null,
    ...more,
  } as AuditEvent;
}

function ended(id: string, by: string, more: Partial<AuditEvent> = {}): AuditEvent {
  const told = { outcome: 'done', code: null, detail: null, evidence: null };
  return { event: 'ended', id, at: 2_000, by, ...told, ...more } as AuditEvent;
}

const fail = (error: Error): never => {
  throw error;
};

describe('an audit trail', () => {
  it('keeps what several processes record at once, each event on a line of its own', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'new', 'audit.jsonl');
      const trails = Array.from({ length: 4 }, () => new AuditTrail(file, fail));
      await Promise.all(
        trails.flatMap((trail, by) =>
          Array.from({ length: 25 }, (_, number) =>
            trail.record(asked(`${by}-${number}`, `${by}`)),
          ),
        ),
      );
      const { events, damaged } = await new AuditTrail(file, fail).read();
      expect([events.length, damaged]).toEqual([100, 0]);
      // Those of one process in the order in which it recorded them.
      const ids = events.map(({ id }) => id).filter((id) => id.startsWith('2-'));
      expect(ids).toEqual(Array.from({ length: 25 }, (_, number) => `2-${number}`));
    }));

  it('loses the line alone in which a process died, and says so', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'audit.jsonl');
      const trail = new AuditTrail(file, fail);
      await trail.record(asked('a', 'engine'));
      appendFileSync(file, '{"event":"asked","id":"b","who":"an');
      await trail.record(asked('c', 'engine'));
      const { events, damaged } = await trail.read();
      expect(events.map(({ id }) => id)).toEqual(['a', 'c']);
      expect(damaged).toBe(1);
    }));

  it('keeps no secrets, and of a long answer only how long it was', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'audit.jsonl');
      const trail = new AuditTrail(file, fail);
      const order = { token: 's3cret-1', url: 'postgres://u:s3cret-2@db/x' };
      await trail.record(asked('a', 'engine', { order, evidence: 'x'.repeat(30_000) }));
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain('s3cret');
      expect(text).toContain('"evidence":{"omitted":"30002 characters"}');
    }));

  it('is empty where nothing was recorded, and a full disk is told and stops nothing', () =>
    withTempDir(async (folder) => {
      const troubles: string[] = [];
      const trail = new AuditTrail(folder, ({ message }) => troubles.push(message));
      await trail.record(asked('a', 'engine'));
      expect(troubles).toEqual([expect.stringContaining('EISDIR')]);
      expect(await new AuditTrail(join(folder, 'none'), fail).read()).toEqual({
        events: [],
        damaged: 0,
      });
    }));
});

describe('entries', () => {
  it('join what a command and the processes that it asked have recorded', () => {
    const [entry, ...more] = entriesOf([
      asked('a', 'fig', { reason: 'the card processor is slow' }),
      asked('a', 'engine', { action: 'POST /handovers', capability: 'payment' }),
      ended('a', 'engine', { evidence: { epoch: 2 } }),
      ended('a', 'fig', { at: 3_000 }),
    ]);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      action: 'fig switch payment',
      capability: 'payment',
      reason: 'the card processor is slow',
      outcome: 'done',
      endedAt: 3_000,
      steps: [
        { by: 'fig', outcome: 'done' },
        { by: 'engine', action: 'POST /handovers', outcome: 'done', after: { epoch: 2 } },
      ],
    });
  });

  it('have no outcome until a process has recorded one, and that of the engine where the command was cut off', () => {
    const [open, cut] = entriesOf([
      asked('cut', 'fig'),
      asked('cut', 'engine'),
      ended('cut', 'engine', { outcome: 'refused', code: 'gate_refused' }),
      asked('open', 'fig', { at: 5_000 }),
    ]);
    expect(open).toMatchObject({ id: 'open', outcome: null, endedAt: null });
    expect(cut).toMatchObject({ id: 'cut', outcome: 'refused', code: 'gate_refused' });
  });

  it('name an operator by headers that hold any text, and none that moves a cursor', () => {
    const action = '0d3b1a52-8a6e-4f0e-9f55-0c6a1f7a1c11';
    const headers = operatorHeaders({ who: 'Łukasz', reason: 'zu spät\u001b[2J', action }, '::1');
    expect(operatorIn(headers)).toEqual({
      who: 'Łukasz',
      reason: 'zu spät [2J',
      action,
      from: '::1',
    });
    expect(operatorIn({ 'fig-operator': '%', 'fig-action': '../x' })).toEqual({ reason: null });
  });
});
