/** One place where two bodies differ. */
export interface Difference {
  /** Such as `items.0.available`; empty for the body as a whole, `(status)` for the status. */
  readonly path: string;
  /** Undefined where that side has nothing there. */
  readonly legacy: unknown;
  readonly extracted: unknown;
}

/** One side's answer. */
export interface Observation {
  readonly status: number;
  readonly body: Buffer;
}

const MOST_DIFFERENCES = 20;

/**
 * Compares two answers: status, and the JSON of the bodies, or their bytes where they are no JSON.
 * @param ignore paths that may differ; `*` stands for one step, such as `items.*.updatedAt`
 * @returns the differences, at most 20
 */
export function differences(
  legacy: Observation,
  extracted: Observation,
  ignore: readonly string[],
): readonly Difference[] {
  // The usual case, which needs no parsing.
  if (sameAnswer(legacy, extracted)) return [];
  const found: Difference[] = [];
  if (legacy.status !== extracted.status) {
    found.push({ path: '(status)', legacy: legacy.status, extracted: extracted.status });
  }
  const ignored = ignore.map((path) => path.split('.'));
  compare(parsed(legacy.body), parsed(extracted.body), [], ignored, found);
  return found;
}

/** Whether two answers of one side say the same. */
export function sameAnswer(left: Observation, right: Observation): boolean {
  return left.status === right.status && left.body.equals(right.body);
}

function parsed(body: Buffer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function compare(
  legacy: unknown,
  extracted: unknown,
  path: readonly string[],
  ignored: readonly (readonly string[])[],
  found: Difference[],
): void {
  if (Object.is(legacy, extracted) || found.length >= MOST_DIFFERENCES) return;
  if (ignored.some((pattern) => matches(pattern, path))) return;
  if (!isTree(legacy) || !isTree(extracted) || Array.isArray(legacy) !== Array.isArray(extracted)) {
    found.push({ path: path.join('.'), legacy, extracted });
    return;
  }
  for (const key of new Set([...Object.keys(legacy), ...Object.keys(extracted)])) {
    compare(legacy[key], extracted[key], [...path, key], ignored, found);
  }
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((step, index) => step === '*' || step === path[index])
  );
}
