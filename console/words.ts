/** How figures are written: always with their unit, and no more digits than mean something. */
import { duration } from '../chassis/text/index.ts';

/** An age that ticks by the second. */
export function age(ms: number): string {
  if (ms < 1_500) return 'just now';
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s ago`;
  return `${duration(ms)} ago`;
}

/** Requests a second. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  if (perSecond < 10) return `${perSecond.toFixed(1)}/s`;
  return `${count(Math.round(perSecond))}/s`;
}

/** A time that may be missing. */
export function latency(ms: number | null): string {
  return ms === null ? '–' : duration(ms);
}

export function count(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? '< 1' : Math.round(value)} %`;
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A moment by the clock of the reader, to the second. */
export function clock(at: number): string {
  const date = new Date(at);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** The same with its day. */
export function moment(at: number): string {
  return `${new Date(at).toLocaleDateString('en', { day: 'numeric', month: 'short' })} ${clock(at)}`;
}

/** A value of JSON on one line. */
export function json(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
