import type { SideName } from '../side.ts';
import { shown } from './codec.ts';
import type { Codec } from './codec.ts';
import { columnOn, isGuest, tablesOf, writes } from './mapping.ts';
import type { Mapping, Pair } from './mapping.ts';

/** One reason why a mapping can't be used. `code` is stable; `message` names what and why. */
export interface MappingProblem {
  readonly code: string;
  readonly pair: string | null;
  readonly message: string;
}

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/**
 * What is wrong with a mapping by its declaration alone: names, ways back, and who writes what.
 * @returns nothing when it can be used
 */
export function checkMapping(mapping: Mapping): readonly MappingProblem[] {
  return [
    ...checkNames(mapping),
    ...mapping.pairs.flatMap((pair) => checkPair(pair)),
    ...SIDES.flatMap((side) =>
      tablesOf(mapping, side).flatMap((table) => checkTable(mapping, side, table)),
    ),
  ];
}

function checkNames({ capability, pairs }: Mapping): MappingProblem[] {
  const problems: MappingProblem[] = [];
  if (!/^[a-z][a-z0-9_]*$/.test(capability)) {
    problems.push({
      code: 'bad_capability_name',
      pair: null,
      message: `"${capability}" is not a lower-case name such as "inventory"`,
    });
  }
  if (pairs.length === 0) {
    problems.push({ code: 'no_pairs', pair: null, message: 'the mapping has no pairs' });
  }
  for (const [index, { name }] of pairs.entries()) {
    if (pairs.findIndex((other) => other.name === name) < index) {
      problems.push({
        code: 'duplicate_pair',
        pair: name,
        message: `two pairs are named "${name}"`,
      });
    }
  }
  return problems;
}

function checkPair(pair: Pair): MappingProblem[] {
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
  const { where = {}, whenAbsent } = pair[side];
  const codecs = [...pair.key, ...pair.columns];
  const own = pair.columns.filter((codec) => writes(codec, side)).map((c) => columnOn(c, side));
  const readable = new Set(codecs.map((codec) => columnOn(codec, side)));
  const seen = new Set<string>();
  for (const column of codecs.map((codec) => columnOn(codec, side))) {
    if (column === null) continue;
    if (seen.has(column)) {
      findings.push(['duplicate_column', `${side} column ${column} is mapped twice`]);
    }
    seen.add(column);
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
  if (whenAbsent !== undefined) findings.push(...checkReset(pair, side, own));
  return findings;
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
  const { where, whenAbsent = {} } = pair[side];
  const findings: Finding[] = [];
  for (const column of own) {
    if (column !== null && !(column in whenAbsent)) {
      findings.push(['no_reset', `${side} whenAbsent does not say what ${column} falls back to`]);
    }
  }
  for (const column of Object.keys(whenAbsent)) {
    if (!own.includes(column)) {
      findings.push([
        'foreign_reset',
        `${side} whenAbsent resets ${column}, which the pair does not write`,
      ]);
    }
  }
  const leaves = Object.entries(where ?? {}).some(([column, values]) => {
    const value = whenAbsent[column];
    return value === null || typeof value !== 'object' ? !values.includes(value ?? null) : false;
  });
  if (where !== undefined && !leaves) {
    findings.push([
      'reset_stays',
      `${side} whenAbsent leaves the row inside the pair's own filter`,
    ]);
  }
  return findings;
}

/** All pairs of one table: each column has one writer, each row one anchor. */
function checkTable(mapping: Mapping, side: SideName, table: string): MappingProblem[] {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const anchors = pairs.filter((pair) => !isGuest(pair, side));
  const problems: MappingProblem[] = [];
  if (anchors.length === 0) {
    problems.push({
      code: 'no_anchor',
      pair: null,
      message: `${side} table ${table}: all its pairs have whenAbsent, so none gives its rows life`,
    });
  }
  for (const [index, anchor] of anchors.entries()) {
    for (const other of anchors.slice(index + 1)) {
      if (disjoint(anchor, other, side)) continue;
      problems.push({
        code: 'two_anchors',
        pair: other.name,
        message:
          `${side} table ${table}: pairs "${anchor.name}" and "${other.name}" both claim its rows; ` +
          'give one of them whenAbsent, or keys that tell their rows apart',
      });
    }
  }
  return [...problems, ...checkGuests(pairs, side, table), ...checkWriters(pairs, side, table)];
}

/** Whether no row can have both pairs' keys: a constant or a prefix of the key tells them apart. */
export function disjoint(left: Pair, right: Pair, side: SideName): boolean {
  return left.key.some((codec) => {
    const column = columnOn(codec, side);
    const other = right.key.find((candidate) => columnOn(candidate, side) === column);
    if (column === null || other === undefined) return false;
    const [a, b] = [startOf(codec, side), startOf(other, side)];
    if (a === undefined || b === undefined) return false;
    if (a.whole && b.whole) return a.text !== b.text;
    if (a.whole) return !a.text.startsWith(b.text);
    if (b.whole) return !b.text.startsWith(a.text);
    return !a.text.startsWith(b.text) && !b.text.startsWith(a.text);
  });
}

function startOf(codec: Codec, side: SideName): { text: string; whole: boolean } | undefined {
  if (codec.constant !== undefined) return { text: String(codec.constant), whole: true };
  if (codec.prefix !== undefined && side === 'extracted')
    return { text: codec.prefix, whole: false };
  return undefined;
}

/** A guest finds its row by the anchor's key. */
function checkGuests(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const keyOf = (pair: Pair): string =>
    pair.key
      .map((codec) => columnOn(codec, side))
      .filter((column) => column !== null)
      .sort()
      .join(', ');
  return pairs
    .filter((pair) => isGuest(pair, side))
    .filter((guest) => !pairs.some((pair) => !isGuest(pair, side) && keyOf(pair) === keyOf(guest)))
    .map((guest) => ({
      code: 'guest_key',
      pair: guest.name,
      message: `${side} table ${table}: guest pair "${guest.name}" needs the key of an anchor pair`,
    }));
}

function checkWriters(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const problems: MappingProblem[] = [];
  for (const [index, pair] of pairs.entries()) {
    for (const other of pairs.slice(index + 1)) {
      if (disjoint(pair, other, side)) continue;
      const own = new Set(
        pair.columns.filter((c) => writes(c, side)).map((c) => columnOn(c, side)),
      );
      for (const codec of other.columns.filter((candidate) => writes(candidate, side))) {
        const column = columnOn(codec, side);
        if (!own.has(column)) continue;
        problems.push({
          code: 'duplicate_column',
          pair: other.name,
          message:
            `${side} column ${table}.${column ?? ''} is written by pairs "${pair.name}" and ` +
            `"${other.name}"; let one carry it and declare the other derived()`,
        });
      }
    }
  }
  return problems;
}
