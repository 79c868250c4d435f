import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { TrafficSample } from '../../facade/admin/index.ts';
import { Chart } from '../parts/chart.tsx';
import { ownerOf, SIDES } from '../status.ts';
import type { Capability } from '../status.ts';
import { duration } from '../../chassis/text/index.ts';
import { plural, rate } from '../words.ts';
import { seriesOf } from './series.ts';

interface ChartsProps {
  readonly capability: Capability;
  readonly samples: readonly TrafficSample[];
}

const HEIGHT = 92;

/** Both sides beside each other on the same scales and one time axis; the lag below. */
export function Charts({ capability, samples }: ChartsProps): JSX.Element {
  const { name } = capability;
  const series = useMemo(() => seriesOf(samples, name), [samples, name]);
  const { times, sides, most, lagMs, lagChanges } = series;
  const owner = ownerOf(capability);
  const writeMs = (value: number): string => duration(value);
  return (
    <div class="charts">
      {SIDES.map((side) => (
        <section key={side} aria-label={side}>
          <h3>
            {side} <span class="dim">{owner === side ? 'owner' : ''}</span>
          </h3>
          <Chart
            title="requests"
            times={times}
            lines={[
              { label: 'requests', values: sides[side].requests, stroke: 'accent', filled: true },
            ]}
            most={most.requests}
            write={rate}
            height={HEIGHT}
          />
          <Chart
            title="errors"
            times={times}
            lines={[
              {
                label: 'errors',
                values: sides[side].errors,
                stroke: sides[side].errors.some((value) => value > 0) ? 'warn' : 'soft',
                filled: true,
              },
            ]}
            most={most.errors}
            write={rate}
            height={HEIGHT - 20}
          />
          <Chart
            title="latency"
            times={times}
            lines={[
              { label: 'p50', values: sides[side].p50, stroke: 'ink' },
              { label: 'p99', values: sides[side].p99, stroke: 'soft' },
            ]}
            most={most.ms}
            write={writeMs}
            height={HEIGHT}
          />
        </section>
      ))}
      {capability.status && (
        <section class="wide" aria-label="lag">
          <h3>
            lag <span class="dim">of the side that follows; read while a page is open</span>
          </h3>
          <div class="pair">
            <Chart
              title="rows behind"
              times={times}
              lines={[{ label: 'rows', values: lagChanges, stroke: 'accent', filled: true }]}
              most={topOf(lagChanges, 5)}
              write={(value) => plural(Math.round(value), 'row')}
              height={HEIGHT - 20}
            />
            <Chart
              title="time behind"
              times={times}
              lines={[{ label: 'behind', values: lagMs, stroke: 'accent', filled: true }]}
              most={topOf(lagMs, 50)}
              write={writeMs}
              height={HEIGHT - 20}
            />
          </div>
        </section>
      )}
    </div>
  );
}

function topOf(values: readonly (number | null)[], least: number): number {
  return values.reduce<number>((top, value) => Math.max(top, value ?? 0), least) * 1.1;
}
