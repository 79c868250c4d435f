import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ownerOf, shareOf, SIDES } from '../status.ts';
import type { Capability, Side } from '../status.ts';
import { duration } from '../../chassis/text/index.ts';
import { count, latency, percent, plural, rate } from '../words.ts';

const HEIGHT = 160;
const BOX_HEIGHT = 50;
const TOP: Readonly<Record<Side, number>> = { legacy: 4, extracted: HEIGHT - BOX_HEIGHT - 4 };
/** Below this width the arrows become lanes. */
const NARROW = 560;
/** The widest arrow: all of the traffic. */
const WIDEST = 14;

/** The width of an element, as it changes. */
function useWidth(): readonly [ref: { current: HTMLDivElement | null }, width: number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/** Seconds that a dot takes from one to the next: the more requests, the faster. */
function pace(perSecond: number): string {
  return `${Math.max(0.25, 3 / Math.log2(2 + perSecond)).toFixed(2)}s`;
}

/** One capability: traffic from the facade to both sides, and the feed between them. */
export function Picture({ capability }: { readonly capability: Capability }): JSX.Element {
  const [ref, width] = useWidth();
  return (
    <div ref={ref} class="picture">
      {width > 0 && <Drawing capability={capability} width={width} />}
    </div>
  );
}

interface DrawingProps {
  readonly capability: Capability;
  readonly width: number;
}

function Drawing({ capability, width }: DrawingProps): JSX.Element {
  const isNarrow = width < NARROW;
  const boxWidth = isNarrow ? Math.round(width * 0.54) : Math.min(300, Math.round(width * 0.34));
  const left = width - boxWidth - 1;
  const owner = ownerOf(capability);
  // What is still lies below what moves.
  const rateOf = (side: Side): number => capability.traffic[side]?.perSecond ?? 0;
  const inOrder = SIDES.toSorted((one, other) => rateOf(one) - rateOf(other));
  return (
    <svg
      width={width}
      height={HEIGHT}
      role="img"
      aria-label={describe(capability)}
      viewBox={`0 0 ${width} ${HEIGHT}`}
    >
      {inOrder.map((side) => (
        <Arrow key={side} side={side} capability={capability} end={left} isNarrow={isNarrow} />
      ))}
      {SIDES.map((side) => (
        <SideBox
          key={side}
          side={side}
          capability={capability}
          left={left}
          width={boxWidth}
          isOwner={owner === side}
        />
      ))}
      <Feed capability={capability} x={left + 20} owner={owner} />
    </svg>
  );
}

interface ArrowProps {
  readonly side: Side;
  readonly capability: Capability;
  readonly end: number;
  readonly isNarrow: boolean;
}

function Arrow({ side, capability, end, isNarrow }: ArrowProps): JSX.Element {
  const traffic = capability.traffic[side];
  const perSecond = traffic?.perSecond ?? 0;
  const share = shareOf(capability, side);
  const y = TOP[side] + BOX_HEIGHT / 2;
  const tip = end - 8;
  const middle = HEIGHT / 2;
  const path = isNarrow
    ? `M0,${y} L${tip},${y}`
    : `M0,${middle} C${tip * 0.36},${middle} ${tip * 0.3},${y} ${tip},${y}`;
  const thick = share === null || perSecond === 0 ? 1 : 2 + (WIDEST - 2) * share;
  const isWrong = (traffic?.errorsPerSecond ?? 0) > 0;
  const held = capability.facade?.heldNow ?? 0;
  const isPaused = capability.status?.moving !== null && capability.status !== undefined;
  const above = side === 'legacy';
  const labelY = above ? y - thick / 2 - 7 : y + thick / 2 + 15;
  const anchor = isNarrow ? 0 : tip - 12;
  return (
    <g class={`arrow${isWrong ? ' wrong' : ''}${perSecond === 0 ? ' still' : ''}`}>
      <path class="stem" d={path} stroke-width={thick} />
      {perSecond > 0 && (
        <path class="dots" d={path} style={{ animationDuration: pace(perSecond) }} />
      )}
      {(isPaused || held > 0) && perSecond > 0 && (
        <path class="gap" d={path} stroke-width={thick + 2} />
      )}
      <path
        class="tip"
        d={`M${end - 1},${y} l-9,${-Math.max(4, thick * 0.75)} v${Math.max(8, thick * 1.5)} z`}
      />
      <text x={anchor} y={labelY} text-anchor={isNarrow ? 'start' : 'end'}>
        {perSecond === 0 ? (
          <tspan class="dim">{share === null ? 'no requests' : '0 %'}</tspan>
        ) : (
          <>
            <tspan class="strong">{percent(share ?? 0)}</tspan>
            <tspan dx="8">{rate(perSecond)}</tspan>
            {!isNarrow && (
              <tspan dx="8" class="dim">
                p50 {latency(traffic?.p50Ms ?? null)} · p99 {latency(traffic?.p99Ms ?? null)}
              </tspan>
            )}
            {isWrong && (
              <tspan dx="8" class="warn">
                {rate(traffic?.errorsPerSecond ?? 0)} errors
              </tspan>
            )}
          </>
        )}
      </text>
    </g>
  );
}

interface SideBoxProps {
  readonly side: Side;
  readonly capability: Capability;
  readonly left: number;
  readonly width: number;
  readonly isOwner: boolean;
}

function SideBox({ side, capability, left, width, isOwner }: SideBoxProps): JSX.Element {
  const top = TOP[side];
  const has = isOwner || capability.status === undefined || isCopy(capability, side);
  return (
    <g class={`side${isOwner ? ' owner' : ''}${has ? '' : ' absent'}`}>
      <rect x={left} y={top + 0.5} width={width} height={BOX_HEIGHT - 1} rx="4" />
      <text x={left + 14} y={top + 21} class="name">
        {side}
      </text>
      <text x={left + 14} y={top + 38} class="role">
        {roleOf(capability, side, isOwner)}
      </text>
    </g>
  );
}

/** Whether a side that does not own the rows has a whole copy of them. */
function isCopy({ status }: Capability, side: Side): boolean {
  if (!status) return true;
  if (status.stage === 'complete') return side === 'extracted';
  return status.backfill.state === 'done';
}

function roleOf(capability: Capability, side: Side, isOwner: boolean): string {
  const { status } = capability;
  if (!status) return isOwner ? 'answers by its flag; no rows move' : '';
  if (status.moving && status.moving.from === side) return 'hands the writes over';
  if (status.moving && status.moving.to === side) return 'takes the writes over';
  if (isOwner) return `owns the writes, epoch ${status.epoch}`;
  if (status.owner === null) return 'no owner';
  if (status.stage === 'complete') return 'retired';
  if (status.backfill.state === 'running') {
    return `being copied, ${count(status.backfill.rows)} of ${count(status.backfill.total)} rows`;
  }
  if (status.backfill.state === 'none') return 'has no copy yet';
  return side === 'legacy' ? 'follows: the way back' : 'follows, and is whole';
}

interface FeedProps {
  readonly capability: Capability;
  readonly x: number;
  readonly owner: Side | null;
}

function Feed({ capability, x, owner }: FeedProps): JSX.Element | null {
  const { status } = capability;
  if (!status || owner === null || status.stage === 'complete') return null;
  const [upper, lower] = [TOP.legacy + BOX_HEIGHT, TOP.extracted];
  const down = owner === 'legacy';
  const [from, to] = down ? [upper, lower] : [lower, upper];
  const isWhole = status.backfill.state === 'done';
  const isRunning = isWhole || status.backfill.state === 'running';
  const { lag, parked, broken } = status;
  const isWrong = parked !== null || broken !== null;
  const moves = isRunning && (lag?.changes ?? 0) > 0;
  const text = !isRunning
    ? 'no copy, no feed'
    : isWrong
      ? `${plural(parked?.changes ?? 0, 'change')} stuck`
      : lag === null
        ? 'lag not known'
        : lag.changes === 0
          ? 'in step'
          : `${plural(lag.changes, 'row')} behind, ${duration(lag.ms)}`;
  const head = down ? -6 : 6;
  return (
    <g class={`feed${isWrong ? ' wrong' : ''}${isRunning ? '' : ' still'}`}>
      <path class="stem" d={`M${x},${from} V${to + head}`} />
      {moves && <path class="dots" d={`M${x},${from} V${to}`} />}
      {isRunning && <path class="tip" d={`M${x},${to} l-4,${head} h8 z`} />}
      <text x={x + 14} y={(upper + lower) / 2 + 4}>
        {text}
      </text>
    </g>
  );
}

/** The same for those who can't see it. */
function describe(capability: Capability): string {
  const owner = ownerOf(capability);
  const sides = SIDES.map((side) => {
    const traffic = capability.traffic[side];
    return `${side} answers ${rate(traffic?.perSecond ?? 0)}`;
  });
  return `${capability.name}: ${owner ?? 'no side'} owns the writes; ${sides.join(', ')}`;
}
