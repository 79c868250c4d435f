import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly stroke: 'ink' | 'soft' | 'warn' | 'accent';
  readonly filled?: boolean;
}

interface ChartProps {
  readonly title: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** The top of the scale, so that charts beside each other share it. */
  readonly most: number;
  readonly write: (value: number) => string;
  readonly height: number;
}

const SYNC = uPlot.sync('time');
const AXIS_FONT = '11px system-ui, sans-serif';

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Draws anew where the reader turns the system from light to dark. */
function useScheme(): boolean {
  const [dark, setDark] = useState(matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const listener = (): void => setDark(query.matches);
    query.addEventListener('change', listener);
    return () => query.removeEventListener('change', listener);
  }, []);
  return dark;
}

/** One small chart; all of a page share their crosshair. */
export function Chart({ title, times, lines, most, write, height }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scale = useRef(most);
  const [index, setIndex] = useState<number | null>(null);
  const dark = useScheme();
  scale.current = most;
  const shape = lines.map(({ label, stroke }) => label + stroke).join();

  useEffect(() => {
    const target = box.current;
    if (!target) return undefined;
    const axis = {
      stroke: colour('dim'),
      font: AXIS_FONT,
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    };
    const drawn = new uPlot(
      {
        width: target.clientWidth,
        height,
        padding: [6, 12, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: SYNC.key }, y: false, points: { size: 5 } },
        scales: { x: { time: true }, y: { range: () => [0, scale.current] } },
        axes: [
          { ...axis, size: 22, space: 64, grid: { show: false }, values: clockMarks },
          {
            ...axis,
            size: 52,
            space: 20,
            values: (_plot, marks) => marks.map((mark) => write(mark)),
          },
        ],
        series: [
          {},
          ...lines.map(({ label, stroke, filled }) => ({
            label,
            stroke: colour(stroke),
            width: 1.5,
            points: { show: false },
            spanGaps: false,
            ...(filled ? { fill: `${colour(stroke)}22` } : {}),
          })),
        ],
        hooks: { setCursor: [(one) => setIndex(one.cursor.idx ?? null)] },
      },
      dataOf(times, lines),
      target,
    );
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: target.clientWidth, height }));
    observer.observe(target);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
    // The data come by the effect below.
  }, [dark, height, shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(times, lines));
  }, [times, lines, most]);

  const at = index !== null && index < times.length ? index : times.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="figures">
          {lines.map(({ label, values, stroke }) => (
            <span key={label} class={`key ${stroke === 'warn' && !values[at] ? '' : stroke}`}>
              {lines.length > 1 && <i />}
              {lines.length > 1 && `${label} `}
              {values[at] === null || values[at] === undefined ? '–' : write(values[at])}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={box} role="img" aria-label={summary(title, lines, write)} />
    </figure>
  );
}

function dataOf(times: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
}

function clockMarks(_plot: uPlot, marks: readonly number[]): string[] {
  return marks.map((mark) => {
    const date = new Date(mark * 1_000);
    const pad = (value: number): string => String(value).padStart(2, '0');
    const seconds = date.getSeconds();
    const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
    return seconds === 0 ? minute : `${minute}:${pad(seconds)}`;
  });
}

/** For those who can't see it. */
function summary(title: string, lines: readonly Line[], write: ChartProps['write']): string {
  const last = lines.map(({ label, values }) => {
    const value = values.at(-1);
    return `${label} ${value === null || value === undefined ? 'nothing' : write(value)}`;
  });
  return `${title} over the last minutes; now ${last.join(', ')}`;
}
