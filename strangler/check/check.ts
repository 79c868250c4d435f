import { checkMapping } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { UnopenedError } from './missing-right.ts';
import type { SideName } from '../../routing/side.ts';
import { Findings } from './findings.ts';
import type { Finding } from './findings.ts';
import type { ForeignTrigger } from './inspector.ts';
import { measureSide } from './measure.ts';
import type { MeasureProgress } from './measure.ts';
import type { Inspectors } from './trip.ts';
import { checkTypes } from './types.ts';

/** Whether a mapping can be used with two databases as they are, and why not. */
export interface CheckReport {
  readonly capability: string;
  readonly ok: boolean;
  readonly mappingHash: string;
  readonly findings: readonly Finding[];
  /** Triggers of others on moved tables; those without a reason are findings, too. */
  readonly triggers: readonly ForeignTrigger[];
  /** Rows that were taken to the other side and back; null where nothing was measured. */
  readonly rows: Readonly<Record<SideName, number>> | null;
}

interface CheckOptions {
  readonly mapping: Mapping;
  readonly inspectors: Inspectors;
  /** Whether to try every row; without, only what declaration, schema and types say. */
  readonly measure: boolean;
  readonly onProgress?: (progress: MeasureProgress) => void;
}

/**
 * Looks for a reason to refuse a mapping: in the declaration, then in the schemas, then in values
 * that types allow, and last in every row there is. Each step needs that the one before went well.
 */
export async function checkCapability(options: CheckOptions): Promise<CheckReport> {
  const { mapping, inspectors } = options;
  const { legacy, extracted } = inspectors;
  const findings = new Findings();
  const triggers = [...(await legacy.triggers()), ...(await extracted.triggers())];
  const report = (rows: CheckReport['rows']): CheckReport => ({
    capability: mapping.capability,
    ok: findings.size === 0,
    mappingHash: mapping.hash,
    findings: findings.all,
    triggers,
    rows,
  });
  findings.addProblems(null, checkMapping(mapping));
  findings.addProblems('legacy', await legacy.problems());
  findings.addProblems('extracted', await extracted.problems());
  if (findings.size > 0) return report(null);
  await checkTypes(mapping, inspectors, findings);
  if (!options.measure) return report(null);
  const measured = { mapping, inspectors, findings, onProgress: options.onProgress ?? ignore };
  return report({
    legacy: await measureSide(measured, 'legacy'),
    extracted: await measureSide(measured, 'extracted'),
  });
}

/** Of databases that our user may not open: what is missing is all that can be said. */
export function unopenedReport(mapping: Mapping, { missing }: UnopenedError): CheckReport {
  const findings = new Findings();
  for (const { side, right } of missing) {
    const problem = { code: 'missing_right', pair: null, message: `${side} ${right}` };
    findings.addProblems(side, [problem]);
  }
  return {
    capability: mapping.capability,
    ok: false,
    mappingHash: mapping.hash,
    findings: findings.all,
    triggers: [],
    rows: null,
  };
}

function ignore(): void {}
