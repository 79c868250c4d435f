import { deadLetterFigure } from '../../chassis/web/index.ts';
import type { Figure, FigureValue } from '../../chassis/web/index.ts';
import { SIDES } from '../../routing/side.ts';
import { deadChanges } from './dead-changes.ts';
import type { LiveStatus } from './live-status.ts';
import type { OpenCapability } from './open-capability.ts';

interface Watched {
  status(): Promise<{ readonly capabilities: readonly LiveStatus[] }>;
  opened(): readonly OpenCapability[];
}

/** What one capability contributes to a figure: a number, one for each label, or nothing while it is not known. */
type Value = number | boolean | null | readonly FigureValue[];

/**
 * What monitors are told of each capability: the same facts as `/status`, read when they ask. A value that is not known
 * is left out, so that an alert can tell it from a good one.
 */
export function engineFigures({ status, opened }: Watched): readonly Figure[] {
  const of = (
    name: string,
    help: string,
    value: (capability: LiveStatus) => Value,
    labels: readonly string[] = [],
  ): Figure => ({
    name,
    help,
    labels: ['capability', ...labels],
    read: async () => (await status()).capabilities.flatMap((one) => valuesOf(one, value(one))),
  });
  return [
    of(
      'fig_engine_leads',
      'Whether this engine acts on the capability: 1 or 0',
      ({ standing }) => standing.as === 'leader',
    ),
    of(
      'fig_capability_complete',
      'Whether the last step is done, so that no engine acts on the capability any more: 1 or 0',
      ({ standing }) => standing.as === 'complete',
    ),
    of(
      'fig_owner',
      'Whether a side owns the capability: 1 or 0; both 0 while it moves, and absent while a side can not be read',
      ({ fences }) =>
        fences.legacy && fences.extracted
          ? SIDES.map((side) => ({
              value: Number(fences[side]?.state === 'open'),
              labels: { side },
            }))
          : null,
      ['side'],
    ),
    of('fig_ownership_epoch', 'Grows by one with each handover', ({ epoch }) => epoch),
    of(
      'fig_feed_lag_rows',
      'Changes of the owner that the other side has not applied',
      ({ lag }) => lag && lag.changes,
    ),
    of(
      'fig_feed_lag_seconds',
      'Age of the oldest change that the other side has not applied; 0 without any',
      ({ lag }) => seconds(lag?.ms),
    ),
    of(
      'fig_feed_applied_position',
      'How far the other side has applied the feed of the owner; its rate is the rows applied a second',
      ({ applied }) => applied,
    ),
    of(
      'fig_changes_broken',
      'Whether changes can not be applied at all: 1 or 0',
      ({ broken }) => broken !== null,
    ),
    of(
      'fig_parked_changes',
      'Changes that the other side could not take',
      ({ parked }) => parked?.changes ?? 0,
    ),
    of('fig_backfill_rows', 'Rows that were copied', ({ backfill }) => backfill.rows),
    of(
      'fig_backfill_rows_expected',
      'Rows that there were to copy when the backfill began',
      ({ backfill }) => backfill.total,
    ),
    of(
      'fig_backfill_running',
      'Whether rows are being copied: 1 or 0',
      ({ backfill }) => backfill.state === 'running',
    ),
    of(
      'fig_reconcile_clean',
      'Whether the last comparison of both sides found them equal: 1 or 0',
      ({ reconcile }) => reconcile && reconcile.clean,
    ),
    of(
      'fig_reconcile_age_seconds',
      'Time since the last comparison of both sides',
      ({ reconcile }) => seconds(reconcile?.ageMs),
    ),
    of(
      'fig_compare_demanded',
      'Whether nothing is handed over before both sides were compared as a whole: 1 or 0',
      ({ demand }) => demand !== null,
    ),
    of(
      'fig_gate_open',
      'Whether the next handover may pass a gate: 1 or 0',
      ({ gates }) =>
        gates && gates.map(({ gate, ok }) => ({ value: Number(ok), labels: { gate } })),
      ['gate'],
    ),
    of(
      'fig_way_back_open',
      'Whether ownership could be given back to legacy: 1 or 0; absent while legacy owns it, or never will again',
      ({ wayBack }) => wayBack && wayBack.safe,
    ),
    of(
      'fig_schema_differences',
      'How many things in the schemas differ from what the capability was installed on',
      ({ drift }) => drift.length,
    ),
    of(
      'fig_side_troubles',
      'How many reasons there are why a side can not be read, or a handover not finished',
      ({ trouble }) => trouble.length,
    ),
    of(
      'fig_handover_under_way',
      'Whether ownership is moving: 1 or 0',
      ({ moving }) => moving !== null,
    ),
    of(
      'fig_last_handover_timestamp_seconds',
      'When the last handover ended, in seconds since 1970',
      ({ lastHandover }) => seconds(lastHandover?.finishedAt),
    ),
    of(
      'fig_last_handover_done',
      'Whether the last handover moved ownership: 1, or 0 when it was taken back',
      ({ lastHandover }) => lastHandover && lastHandover.outcome === 'done',
    ),
    of(
      'fig_last_handover_duration_seconds',
      'How long the last handover took, from its first step to its last',
      ({ lastHandover }) =>
        seconds(lastHandover?.finishedAt && lastHandover.finishedAt - lastHandover.startedAt),
    ),
    of(
      'fig_last_handover_hold_seconds',
      'For how long writes waited in the last handover',
      ({ lastHandover }) => seconds(lastHandover?.holdMs),
    ),
    deadLetterFigure(() => deadChanges(opened())),
  ];
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1_000;
}

function valuesOf({ capability }: LiveStatus, value: Value): readonly FigureValue[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [{ value: Number(value), labels: { capability } }];
  return value.map((one) => ({ ...one, labels: { capability, ...one.labels } }));
}
