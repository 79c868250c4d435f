import { START_COMMAND } from '../../../chassis/index.ts';
import { busyEngine } from '../../wording.ts';
import type { Finding } from '../finding.ts';
import { finding } from './case.ts';
import type { Case } from './case.ts';

/**
 * No engine acts on the capability, or none that answers.
 * @param waits whether a person has to decide first which database is right
 */
export function deadEngine(one: Case, waits = false): readonly Finding[] {
  const { engine, late, facts } = one;
  const alive = facts.lease !== null && facts.lease.expiresAt > facts.now;
  const why = 'nothing follows and nothing moves meanwhile; the owner goes on taking writes';
  const start = { command: START_COMMAND, reason: 'or see to the process that should run it' };
  const remedies = waits ? [] : [start];
  if (engine?.standing === 'waiting') {
    const what = `the engine can't act: ${engine.reason ?? 'it does not say why'}`;
    return [finding(one, 'engine_waiting', { what, why, remedies: [] })];
  }
  if (engine !== null) return [];
  if (alive && late !== null) {
    const what = busyEngine(late, facts.lease?.holder ?? '');
    const patient = [{ command: 'fig status -w', reason: 'shows it as soon as it answers' }];
    return [
      finding(one, 'engine_late', {
        what,
        why: 'commands to it may take long, too',
        remedies: patient,
      }),
    ];
  }
  const holder = facts.lease?.holder;
  const last =
    holder === undefined ? 'none has led' : `the last was ${holder}, which is dead or paused`;
  const what = alive
    ? `no engine answers, but ${holder} keeps its lease: it is elsewhere, or does not listen`
    : `no engine is at work: ${last}`;
  const first = 'the decision which database is right comes first, and needs none';
  const rest = { what, why: waits ? first : why, remedies };
  return [finding(one, alive ? 'engine_elsewhere' : 'engine_dead', rest)];
}

/** What the flags ask for is not what is, and why that is so. */
export function unfulfilled(one: Case): readonly Finding[] {
  const { engine, facts } = one;
  const { capability, fences } = facts;
  const to = engine?.intent.to ?? null;
  if (!engine || to === null || fences?.[to].state === 'open') return [];
  const what = `${capability}.writes asks for ${to}, which is not the owner`;
  const { spent, refused } = engine.intent;
  const verb = to === 'extracted' ? 'switch' : 'reverse';
  if (spent !== null) {
    const why = `it was tried and taken back, and is not tried again by itself: ${spent}`;
    const remedies = [{ command: `fig ${verb} ${capability}`, reason: 'tries it again' }];
    return [finding(one, 'intent_spent', { level: 'notice', what, why, remedies })];
  }
  if (!refused) return [];
  const why = `it waits until it is safe: ${refused.reason}`;
  const remedies = refused.next === null ? [] : [{ command: refused.next, reason: refused.reason }];
  return [finding(one, 'intent_waits', { level: 'notice', what, why, remedies })];
}
