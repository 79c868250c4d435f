import type { SideName } from '../../routing/side.ts';
import { otherSide } from '../../routing/side.ts';
import type { MappingProblem } from './problem.ts';
import { shown } from './codec.ts';
import type { Codec } from './codec.ts';
import { columnOn, writes } from './mapping.ts';
import type { Pair } from './mapping.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/** A pair by itself: its key, the way back of each of its codecs, and what it is on each side. */
export function checkPair(pair: Pair): MappingProblem[] {
  const problem = (code: string, message: string): MappingProblem => ({
    code,
    pair: pair.name,
    message: `pair "${pair.name}": ${message}`,
  });
  const codecs = [...pair.key, ...pair.columns];
  return [
    ...checkKey(pair).map(([code, message]) => problem(code, message)),
    ...codecs.flatMap((codec) => checkCodec(codec).map(([code, text]) => problem(code, text))),
    ...SIDES.flatMap((side) => checkSide(pair, side)).map(([code, text]) => problem(code, text)),
  ];
}

type Finding = readonly [code: string, message: string];

function checkKey({ key }: Pair): Finding[] {
  const findings: Finding[] = [];
  if (!key.some(({ constant }) => constant === undefined)) {
    findings.push(['no_key', 'has no key that tells its rows apart']);
  }
  for (const codec of key) {
    if (!codec.keepsOrder) {
      findings.push([
        'key_order',
        `key ${codecName(codec)} does not keep the order of values; use same, prefixed or constant`,
      ]);
    }
    if (codec.secret) {
      findings.push(['secret_key', `key ${codecName(codec)} can't be secret: the feed names rows`]);
    }
    if (codec.normal !== undefined) {
      findings.push([
        'equal_key',
        `key ${codecName(codec)} can't be equal by declaration: two rows of one side would be one to the other; ` +
          'leave equalBy to columns',
      ]);
    }
    if (codec.derivedOn !== undefined) {
      findings.push([
        'derived_key',
        `key ${codecName(codec)} can't be derived: both sides need it`,
      ]);
    }
  }
  return findings;
}

function codecName({ legacy, extracted }: Codec): string {
  return [legacy, extracted].filter((column) => column !== null).join(' <-> ');
}

function checkCodec(codec: Codec): Finding[] {
  for (const way of ['forward', 'backward'] as const) {
    // A mapping may come from a file that no compiler has seen.
    if (typeof codec[way] !== 'function') {
      return [['no_inverse', `${codecName(codec)} has no ${way}: its values have no way back`]];
    }
  }
  const { codes } = codec.spec as { codes?: Readonly<Record<string, string | number>> };
  if (codes !== undefined) return checkCodes(codec, codes);
  if (codec.constant !== undefined && codec.derivedOn !== undefined) {
    return [['derived_constant', `${codecName(codec)} is a constant: it needs no derived()`]];
  }
  const { digits } = codec.spec as { digits?: number };
  if (digits !== undefined && (!Number.isInteger(digits) || digits < 0 || digits > 15)) {
    return [['bad_digits', `${codecName(codec)}: ${digits} is no number of decimal digits`]];
  }
  return [];
}

function checkCodes(codec: Codec, codes: Readonly<Record<string, string | number>>): Finding[] {
  const findings: Finding[] = [];
  const known = new Map<string | number, string>();
  for (const [left, right] of Object.entries(codes)) {
    const other = known.get(right);
    if (other === undefined) known.set(right, left);
    else {
      findings.push([
        'not_injective',
        `${codecName(codec)}: both '${other}' and '${left}' become '${right}', ` +
          `so '${right}' has no way back`,
      ]);
    }
  }
  if (known.size === 0) findings.push(['no_codes', `${codecName(codec)}: lists no codes`]);
  return findings;
}

/** One pair on one side: its own columns, its filter, its reset values. */
function checkSide(pair: Pair, side: SideName): Finding[] {
  const findings: Finding[] = [];
  const { where = {}, resetTo } = pair[side];
  const codecs = [...pair.key, ...pair.columns];
  const own = pair.columns.filter((codec) => writes(codec, side)).map((c) => columnOn(c, side));
  const readable = new Set(codecs.map((codec) => columnOn(codec, side)));
  const seen = new Set<string>();
  for (const codec of codecs) {
    const column = columnOn(codec, side);
    // What is derived on the other side only reads the column, which another codec carries.
    if (column === null || codec.derivedOn === otherSide(side)) continue;
    if (seen.has(column)) {
      findings.push([
        'duplicate_column',
        `${side} column ${column} is mapped twice (${codecName(codec)}): on the way back two ` +
          'columns would write it; declare one of them derived()',
      ]);
    }
    seen.add(column);
  }
  findings.push(...checkSecrets(pair, side));
  if (pair[side].optional && pair[otherSide(side)].resetTo === undefined) {
    findings.push([
      'optional_without_column_pair',
      `${side} is optional, but its partner is no column pair`,
    ]);
  }
  for (const column of Object.keys(where)) {
    if (!readable.has(column)) {
      findings.push([
        'filter_not_carried',
        `${side} filters by ${column}, which no codec carries: its value would be lost on the way back`,
      ]);
    }
  }
  for (const [column, values] of Object.entries(where)) {
    findings.push(...checkFilter(codecs, side, column, values));
  }
  if (resetTo !== undefined) findings.push(...checkReset(pair, side, own));
  return findings;
}

/** Secrets are read from the owner's row as it is now, which is all they may depend on. */
function checkSecrets(pair: Pair, side: SideName): Finding[] {
  const { where = {}, resetTo } = pair[side];
  return pair.columns
    .filter(({ secret }) => secret)
    .flatMap((codec): Finding[] => {
      const column = columnOn(codec, side) ?? '';
      if (column in where) {
        return [['secret_filter', `${side} filters by ${column}, which is secret`]];
      }
      if (resetTo === undefined) return [];
      return [['secret_column_pair', `${column} is secret, so ${side} can't have resetTo`]];
    });
}

/** A row inside one side's filter must be one that the codecs can carry. */
function checkFilter(
  codecs: readonly Codec[],
  side: SideName,
  column: string,
  values: readonly (string | number | null)[],
): Finding[] {
  const codec = codecs.find((candidate) => columnOn(candidate, side) === column);
  return values.flatMap((value): Finding[] => {
    if (codec === undefined || value === null) return [];
    if (codec.constant !== undefined) {
      if (value === codec.constant) return [];
      return [
        [
          'filter_against_constant',
          `${side} ${column} is always ${shown(codec.constant)}, not ${shown(value)}`,
        ],
      ];
    }
    try {
      if (side === 'legacy') codec.forward(value);
      else codec.backward(value);
      return [];
    } catch (error) {
      return [['filter_not_mapped', `${side} filters by a value without a way: ${String(error)}`]];
    }
  });
}

function checkReset(pair: Pair, side: SideName, own: readonly (string | null)[]): Finding[] {
  const { where, resetTo = {} } = pair[side];
  const findings: Finding[] = [];
  for (const column of own) {
    if (column !== null && !(column in resetTo)) {
      findings.push(['no_reset', `${side} resetTo does not say what ${column} falls back to`]);
    }
  }
  for (const column of Object.keys(resetTo)) {
    if (!own.includes(column)) {
      findings.push([
        'foreign_reset',
        `${side} resetTo resets ${column}, which the pair does not write`,
      ]);
    }
  }
  const leaves = Object.entries(where ?? {}).some(([column, values]) => {
    const value = resetTo[column];
    return value === null || typeof value !== 'object' ? !values.includes(value ?? null) : false;
  });
  if (where !== undefined && !leaves) {
    findings.push(['reset_stays', `${side} resetTo leaves the row inside the pair's own filter`]);
  }
  return findings;
}
