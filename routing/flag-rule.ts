import type { Feature, Strategy } from './flag-file.ts';

/** Whom a flag is on for, as its definition says, before anybody in particular asks. */
export interface FlagRule {
  /**
   * `missing`: nobody has made it. `share`: on for a share of the customers, and nothing else decides.
   * `conditional`: something else decides, too, such as a constraint.
   */
  readonly kind: 'missing' | 'off' | 'on' | 'share' | 'conditional';
  /** The share of customers it is on for, 0..100; of a conditional one, the most it can be. */
  readonly share: number;
  /** What else decides, in words; null where nothing does. */
  readonly conditions: string | null;
}

const MISSING: FlagRule = { kind: 'missing', share: 0, conditions: null };
const OFF: FlagRule = { kind: 'off', share: 0, conditions: null };
const ON: FlagRule = { kind: 'on', share: 100, conditions: null };

/** What one strategy comes to: strategies of a flag add up. */
interface Part {
  readonly share: number;
  /** Whether the share of customers alone decides. */
  readonly plain: boolean;
  readonly text: string;
}

/** Values of a constraint that are shown. */
const VALUES_SHOWN = 3;

/** Reads a flag's definition, as the Unleash client evaluates it. */
export function ruleOf(feature: Feature | undefined): FlagRule {
  if (feature === undefined) return MISSING;
  if (!feature.enabled) return OFF;
  const rule = ruleOfStrategies(feature);
  const parents = feature.dependencies ?? [];
  if (parents.length === 0 || rule.share === 0) return rule;
  const allowing = parents.map(({ feature: parent }) => parent).join(' and ');
  const own = rule.conditions ?? `${rule.share} %`;
  const conditions = `${own}, while ${allowing} allows it`;
  return { kind: 'conditional', share: rule.share, conditions };
}

function ruleOfStrategies({ strategies }: Feature): FlagRule {
  if (!strategies || strategies.length === 0) return ON;
  const parts = strategies.filter(isInForce).map(partOf);
  const possible = parts.filter(({ share }) => share > 0);
  if (possible.length === 0) return OFF;
  if (possible.some(({ share, plain }) => share === 100 && plain)) return ON;
  const share = Math.max(...possible.map((part) => part.share));
  if (possible.length === 1 && possible[0]?.plain)
    return { kind: 'share', share, conditions: null };
  const conditions = possible.map(({ text }) => text).join(', or ');
  return { kind: 'conditional', share, conditions };
}

/** All strategies that count, in words, whether the flag is on or not. */
export function strategiesText({ strategies }: Feature): string {
  return (strategies ?? [])
    .filter(isInForce)
    .map((one) => partOf(one).text)
    .join(', or ');
}

/** Whether a strategy counts; an Unleash server keeps those that were turned off. */
export function isInForce({ disabled }: Strategy): boolean {
  return disabled !== true;
}

function partOf(strategy: Strategy): Part {
  const { constraints, segments } = strategy;
  const own = ownPart(strategy);
  const narrowing = [
    ...(constraints ?? []).map(constraintText),
    ...(segments ?? []).map((segment) => `segment ${segment}`),
  ];
  if (narrowing.length === 0) return own;
  const text = `${own.text} only where ${narrowing.join(' and ')}`;
  return { share: own.share, plain: false, text };
}

function ownPart({ name, parameters: given }: Strategy): Part {
  const parameters = given ?? {};
  const part = (share: number, by: string | null): Part => {
    const plain = by === null || share === 0 || share === 100;
    return { share, plain, text: plain ? `${share} %` : `${share} % by ${by}` };
  };
  switch (name) {
    case 'default':
      return part(100, null);
    case 'flexibleRollout': {
      const by = String(parameters['stickiness'] || 'default');
      const usual = by === 'default' || by === 'userId';
      return part(percentage(parameters['rollout']), usual ? null : by);
    }
    case 'gradualRolloutUserId':
      return part(percentage(parameters['percentage']), null);
    case 'gradualRolloutRandom':
    case 'gradualRolloutSessionId':
      return part(percentage(parameters['percentage']), name);
    default: {
      const texts = Object.entries(parameters).map(([key, value]) => ` ${key} ${String(value)}`);
      return { share: 100, plain: false, text: `those of ${name}${texts.join(',')}` };
    }
  }
}

function percentage(value: unknown): number {
  const share = Number(value ?? 0);
  return Number.isFinite(share) ? Math.min(100, Math.max(0, share)) : 0;
}

function constraintText(constraint: NonNullable<Strategy['constraints']>[number]): string {
  const { contextName, operator, inverted, value, values } = constraint;
  const given = values && values.length > 0 ? values : [value ?? ''];
  const shown = given.slice(0, VALUES_SHOWN).map(String).join(', ');
  const more = given.length > VALUES_SHOWN ? ` and ${given.length - VALUES_SHOWN} more` : '';
  return `${inverted === true ? 'not ' : ''}${contextName} ${operator} ${shown}${more}`;
}

/** What a switch says to whoever acts by it. */
export type SwitchReading =
  | { readonly on: boolean; readonly refused: null; readonly made: true }
  /** Why it asks for nothing: then everything stays as it is; and whether there is such a flag. */
  | { readonly on: null; readonly refused: string; readonly made: boolean };

/** A switch is on or off for everybody; a rule that says anything else asks for nothing. */
export function readSwitch(rule: FlagRule): SwitchReading {
  switch (rule.kind) {
    case 'on':
    case 'off':
      return { on: rule.kind === 'on', refused: null, made: true };
    case 'missing':
      return { on: null, refused: 'it has not been made yet', made: false };
    default: {
      const refused = `it is on for some only (${ruleText(rule)}); a switch is on or off for all`;
      return { on: null, refused, made: true };
    }
  }
}

/** A rule as a person reads it. */
export function ruleText({ share, conditions }: FlagRule): string {
  return conditions ?? `${share} %`;
}

/**
 * Whether nothing is lost when a share replaces what a flag's strategies say: they are what Fig sets
 * itself, or what Unleash makes of a flag that somebody turns on.
 */
export function isReplaceable(feature: Feature | undefined): boolean {
  const strategies = (feature?.strategies ?? []).filter(isInForce);
  if ((feature?.dependencies ?? []).length > 0) return false;
  return strategies.length <= 1 && strategies.every((one) => isUsual(one, feature?.name ?? ''));
}

function isUsual(strategy: Strategy, flag: string): boolean {
  const { name, constraints, segments, variants } = strategy;
  const parameters = strategy.parameters ?? {};
  if ([constraints, segments, variants].some((list) => list && list.length > 0)) return false;
  if (name === 'default') return true;
  const by = String(parameters['stickiness'] || 'default');
  const group = String(parameters['groupId'] || flag);
  return name === 'flexibleRollout' && group === flag && (by === 'default' || by === 'userId');
}
