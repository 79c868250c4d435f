import { Problem } from '../../../chassis/index.ts';

/** What a client wants of a composition. */
export interface Selection {
  /** Names of parts; undefined for all. */
  readonly include: ReadonlySet<string> | undefined;
  /** For each part that is named: the paths of its fields, each as its names. */
  readonly fields: ReadonlyMap<string, readonly (readonly string[])[]>;
}

/**
 * Reads `?include=item,notes` and `?fields=item.name,notes.text`.
 * @param query with its question mark, or empty
 * @throws Problem 400 for another parameter, or a part that there is not
 */
export function selectionIn(query: string, parts: readonly string[]): Selection {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'include' && name !== 'fields') {
      throw invalid(name, `there is no parameter ${name}`, 'use include and fields');
    }
  }
  const include = listIn(parameters, 'include');
  const fields = new Map<string, string[][]>();
  for (const path of listIn(parameters, 'fields') ?? []) {
    const [part = '', ...names] = path.split('.');
    fields.set(part, [...(fields.get(part) ?? []), names]);
  }
  for (const [parameter, names] of [
    ['include', include ?? []],
    ['fields', [...fields.keys()]],
  ] as const) {
    const unknown = names.find((name) => !parts.includes(name));
    if (unknown !== undefined) {
      throw invalid(
        parameter,
        `there is no part ${JSON.stringify(unknown)}`,
        `name some of ${parts.join(', ')}`,
      );
    }
  }
  return { include: include && new Set(include), fields };
}

/** What is left of a value when only these fields of it are wanted. Of lists, each entry is looked at. */
export function pick(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) return value.map((each) => pick(each, paths));
  if (typeof value !== 'object' || value === null) return value;
  const wanted = new Map<string, (readonly string[])[]>();
  for (const [name = '', ...rest] of paths) wanted.set(name, [...(wanted.get(name) ?? []), rest]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => {
      const rest = wanted.get(name);
      return rest ? [[name, pick(member, rest)]] : [];
    }),
  );
}

function listIn(parameters: URLSearchParams, name: string): readonly string[] | undefined {
  const given = parameters.getAll(name);
  if (given.length === 0) return undefined;
  return given.flatMap((each) => each.split(',')).filter((each) => each !== '');
}

function invalid(field: string, message: string, remedy: string): Problem {
  return new Problem(400, 'invalid_request', `the query: ${message}; ${remedy}`, {
    members: { errors: [{ field, message, remedy }] },
  });
}
