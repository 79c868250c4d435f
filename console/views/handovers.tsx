import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HandoverList, HandoverView } from '../../strangler/engine/index.ts';
import { get } from '../api.ts';
import type { Refusal } from '../api.ts';
import type { Live } from '../live.ts';
import { Command } from '../parts/command.tsx';
import { Empty } from '../parts/empty.tsx';
import { Refused } from '../parts/refused.tsx';
import { duration } from '../../chassis/text/index.ts';
import { moment, plural, rate } from '../words.ts';

interface HeldWrite {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
}

/** Held writes that are looked at, at the most. */
const MOST_HELD = 5_000;

/** Each handover as a timeline of its steps; two can be laid over each other. */
export function Handovers({ live, now }: { readonly live: Live; readonly now: number }) {
  const [list, setList] = useState<HandoverList>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [held, setHeld] = useState<readonly HeldWrite[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const statuses = live.engine?.status.capabilities ?? [];
  // The stream says when there is one more, or a further step of the one under way.
  const news = statuses
    .map(({ moving, lastHandover }) => `${lastHandover?.id} ${moving?.id} ${moving?.steps.length}`)
    .join();
  const next = live.state?.facade.holds.next ?? 0;
  useEffect(() => {
    const read = async (): Promise<void> => {
      const [journal, holds] = await Promise.all([
        get<HandoverList>('/engine/handovers'),
        get<{ holds: readonly HeldWrite[] }>(`/holds?since=${Math.max(0, next - MOST_HELD)}`),
      ]);
      if (journal.ok) setList(journal.body);
      setRefusal(journal.ok ? undefined : journal.refusal);
      if (holds.ok) setHeld(holds.body.holds);
    };
    void read();
    // What was held matters once a handover is new.
  }, [news]);
  if (refusal && !list) {
    return <Refused refusal={refusal} mend={(command) => <Command text={command} />} />;
  }
  if (!list) {
    return (
      <div class="handovers">
        <h1>Handovers</h1>
        <p class="dim">reading the journal …</p>
      </div>
    );
  }
  const { handovers, unread } = list;
  if (handovers.length === 0) {
    const [first] = statuses;
    return (
      <div class="handovers">
        <h1>Handovers</h1>
        <Empty
          title="No capability was handed over yet"
          {...(first ? { command: `fig switch ${first.capability} --dry-run` } : {})}
        >
          A handover pauses the writes of one capability for some milliseconds, and moves them to
          the other side.
        </Empty>
      </div>
    );
  }
  const shown = chosen
    .map((id) => handovers.find((one) => one.id === id))
    .filter((one) => one !== undefined);
  const [first, second] = shown.length > 0 ? shown : handovers;
  const laidOver = shown.length > 1 ? second : undefined;
  const toggle = (id: string): void =>
    setChosen((before) =>
      before.includes(id) ? before.filter((one) => one !== id) : [...before.slice(-1), id],
    );
  return (
    <div class="handovers">
      <h1>Handovers</h1>
      {unread.map(({ capability, side, reason }) => (
        <p key={`${capability} ${side}`} class="alarm">
          The journal of {capability} at {side} can’t be read: {reason}
        </p>
      ))}
      {first && (
        <Timeline
          handover={first}
          over={laidOver}
          held={held}
          now={now}
          errors={errorsDuring(first, live, now)}
        />
      )}
      <table>
        <caption class="dim">Choose one to see its steps, two to lay them over each other.</caption>
        <thead>
          <tr>
            <th scope="col">capability</th>
            <th scope="col">to</th>
            <th scope="col">began</th>
            <th scope="col" class="number">
              took
            </th>
            <th scope="col" class="number">
              writes held
            </th>
            <th scope="col" class="number">
              epoch
            </th>
            <th scope="col">outcome</th>
          </tr>
        </thead>
        <tbody>
          {handovers.map((one) => (
            <tr key={one.id} class={one === first || one === laidOver ? 'chosen' : ''}>
              <td>
                <button
                  type="button"
                  class="quiet link"
                  aria-pressed={chosen.includes(one.id)}
                  onClick={() => toggle(one.id)}
                >
                  {one.capability}
                </button>
                {one.keys !== null && (
                  <span class="dim"> {plural(one.keys.length, 'customer')}</span>
                )}
              </td>
              <td>{one.to}</td>
              <td class="dim">{moment(one.startedAt)}</td>
              <td class="number">{duration((one.finishedAt ?? now) - one.startedAt)}</td>
              <td class="number">{one.holdMs === null ? '–' : duration(one.holdMs)}</td>
              <td class="number">{one.epoch}</td>
              <td class={one.outcome === 'aborted' ? 'warn' : ''}>
                {one.outcome === null
                  ? 'under way'
                  : one.outcome === 'done'
                    ? 'done'
                    : `taken back: ${one.reason ?? 'no reason was recorded'}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Bar {
  readonly step: string;
  readonly detail: string | null;
  readonly from: number;
  readonly to: number;
}

/** The steps with the time that each took, in ms since the handover began. */
function barsOf({ steps, startedAt, finishedAt }: HandoverView, now: number): readonly Bar[] {
  return steps.map(({ step, at, detail }, index) => {
    const end = steps[index + 1]?.at ?? finishedAt ?? now;
    return { step, detail, from: at - startedAt, to: Math.max(at, end) - startedAt };
  });
}

/** Errors in the seconds of a handover; null for one that is older than what was counted. */
function errorsDuring(
  { capability, startedAt, finishedAt }: HandoverView,
  { samples }: Live,
  now: number,
): TimelineProps['errors'] {
  if ((samples[0]?.at ?? Infinity) > startedAt) return null;
  const during = samples.filter(
    ({ at }, index) => at >= startedAt && (samples[index - 1]?.at ?? 0) <= (finishedAt ?? now),
  );
  return during.flatMap(({ at, rates }) => {
    const sum = rates
      .filter(([name]) => name === capability)
      .reduce((total, [, , , errorsPerSecond]) => total + errorsPerSecond, 0);
    return sum > 0 ? [[at, sum] as const] : [];
  });
}

interface TimelineProps {
  readonly handover: HandoverView;
  readonly over: HandoverView | undefined;
  readonly held: readonly HeldWrite[];
  readonly now: number;
  /** Moments with errors, in ms since 1970, and how many a second; null where they were not counted. */
  readonly errors: readonly (readonly [at: number, perSecond: number])[] | null;
}

function Timeline({ handover, over, held, now, errors }: TimelineProps): JSX.Element {
  const bars = barsOf(handover, now);
  const others = over ? barsOf(over, now) : [];
  const end = Math.max(1, ...bars.map(({ to }) => to), ...others.map(({ to }) => to));
  const left = (ms: number): string => `${(ms / end) * 100}%`;
  const waits = held
    .filter(
      ({ capability, epoch }) => capability === handover.capability && epoch === handover.epoch,
    )
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b);
  const hold = handover.steps.find(({ step }) => step === 'hold');
  const open = handover.steps.findLast(({ step }) => step === 'publish');
  const marks = marksUpTo(end);
  return (
    <section class="timeline" aria-label={`steps of the handover of ${handover.capability}`}>
      <h2>
        {handover.capability}: {handover.from} to {handover.to}
        <span class="dim">
          {' '}
          {moment(handover.startedAt)}
          {over && `, over ${over.capability} of ${moment(over.startedAt)} (outlined)`}
        </span>
      </h2>
      <div class="lane held">
        <span class="name">writes paused</span>
        <div class="track">
          {hold && open && (
            <i
              class="span"
              style={{
                left: left(hold.at - handover.startedAt),
                width: left(open.at - hold.at),
              }}
            />
          )}
          {open &&
            waits
              .slice(-400)
              .map((ms, index) => (
                <i
                  key={index}
                  class="tick"
                  style={{ left: left(Math.max(0, open.at - handover.startedAt - ms)) }}
                />
              ))}
        </div>
        <span class="figure">
          {handover.holdMs === null ? '–' : duration(handover.holdMs)}
          <span class="dim">
            {' '}
            {waits.length === 0
              ? 'no write had to wait'
              : `${plural(waits.length, 'write')} waited, at most ${duration(waits.at(-1) ?? 0)}`}
          </span>
        </span>
      </div>
      <div class="lane errors">
        <span class="name">errors</span>
        <div class="track">
          {(errors ?? []).map(([at]) => (
            <i
              key={at}
              class="tick wrong"
              style={{ left: left(Math.min(end, Math.max(0, at - handover.startedAt))) }}
            />
          ))}
        </div>
        <span class={errors?.length ? 'figure warn' : 'figure dim'}>
          {errors === null
            ? 'not counted any more'
            : errors.length === 0
              ? 'none in these seconds'
              : errors.map(([, perSecond]) => rate(perSecond)).join(', ')}
        </span>
      </div>
      {bars.map(({ step, detail, from, to }, index) => {
        const other = others.find((one) => one.step === step);
        return (
          <div class="lane" key={`${step} ${index}`}>
            <span class="name">{step.replaceAll('_', ' ')}</span>
            <div class="track">
              <i
                class="bar"
                style={{ left: left(from), width: left(Math.max(to - from, end / 400)) }}
              />
              {other && (
                <i
                  class="bar over"
                  style={{
                    left: left(other.from),
                    width: left(Math.max(other.to - other.from, end / 400)),
                  }}
                />
              )}
            </div>
            <span class="figure">
              {duration(to - from)}
              <span class="dim">
                {' '}
                at {duration(from)}
                {detail ? `, ${detail}` : ''}
                {other ? `, over ${duration(other.to - other.from)}` : ''}
              </span>
            </span>
          </div>
        );
      })}
      <div class="lane axis" aria-hidden="true">
        <span class="name" />
        <div class="track">
          {marks.map((mark) => (
            <span key={mark} style={{ left: left(mark) }}>
              {duration(mark)}
            </span>
          ))}
        </div>
        <span class="figure" />
      </div>
      <p class="dim">
        The journal dates steps to the millisecond. A tick is a write that waited, drawn back from
        the moment at which the new owner was published.
      </p>
    </section>
  );
}

/** About five round marks on an axis. */
function marksUpTo(end: number): readonly number[] {
  const rough = end / 4;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? power;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_none, index) => index * step);
}
