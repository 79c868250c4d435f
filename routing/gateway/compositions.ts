import { z } from 'zod';

/** `{name}` stands for a segment of the composition's own path, `{part.field}` for a field of another part. */
const PLACE = /\{([a-zA-Z]\w*)(?:\.([\w.]+))?\}/g;

/** The places of a part's path: what each takes its value from. */
export interface Place {
  readonly text: string;
  /** A `:name` of the composition's path, or another part. */
  readonly name: string;
  /** Undefined for a `:name`. */
  readonly field: string | undefined;
}

export function placesIn(path: string): readonly Place[] {
  return [...path.matchAll(PLACE)].map(([text, name = '', field]) => ({ text, name, field }));
}

const part = z.strictObject({
  /** A path of this facade, such as `/api/notes?item={id}` or `/api/shelves/{item.shelf}`. */
  path: z.string().regex(/^\/[^\s#]*$/, 'give a path such as "/api/items/{id}"'),
  /** Without it there is no answer: what its server refuses is refused, and 502 when it does not answer. */
  required: z.boolean().default(false),
  /**
   * It is asked for in the facade's own name, as staff: for what the caller could not ask for alone, and may
   * see as a part of this whole. Only for a path that another part's answer completes.
   */
  asSystem: z.boolean().default(false),
});

/** One answer made of several. */
const composition = z
  .strictObject({
    path: z.string().regex(/^\/(?:[\w.~-]+\/|:\w+\/)*(?:[\w.~-]+|:\w+)$/, {
      error: 'give a path such as "/api/items/:id/details"',
    }),
    /** How long all parts together may take, in ms; a part that takes longer is left out and named. */
    deadlineMs: z.int().min(10).max(30_000).default(2_000),
    parts: z.record(z.string().regex(/^[a-zA-Z]\w*$/, 'give a name such as "item"'), part),
  })
  .superRefine(({ path, parts }, context) => {
    const names = new Set([...path.matchAll(/:(\w+)/g)].map(([, name]) => name));
    for (const [name, { path: asked, asSystem }] of Object.entries(parts)) {
      const places = placesIn(asked);
      for (const { text, name: from, field } of places) {
        const isKnown = field === undefined ? names.has(from) : Object.hasOwn(parts, from);
        if (!isKnown) {
          context.addIssue({
            code: 'custom',
            path: ['parts', name, 'path'],
            message: `${text} is neither a :name of ${path} nor a field of a part`,
          });
        }
      }
      if (asSystem && !places.some(({ field }) => field !== undefined)) {
        context.addIssue({
          code: 'custom',
          path: ['parts', name, 'asSystem'],
          message:
            'only for a path with a {part.field}, or callers could ask for what is not theirs',
        });
      }
    }
    const cycle = cycleIn(parts);
    if (cycle) {
      context.addIssue({
        code: 'custom',
        path: ['parts', cycle, 'path'],
        message: 'it waits for a part that waits for it',
      });
    }
  });

/** A part that waits for itself, by way of others. */
function cycleIn(parts: Readonly<Record<string, { readonly path: string }>>): string | undefined {
  const waitsFor = (name: string): string[] =>
    placesIn(parts[name]?.path ?? '').flatMap(({ name: from, field }) =>
      field === undefined ? [] : [from],
    );
  return Object.keys(parts).find((name) => {
    const seen = new Set<string>();
    const left = waitsFor(name);
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (next === name) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      left.push(...waitsFor(next));
    }
    return false;
  });
}

export const compositions = z.array(composition);
export type CompositionConfig = z.output<typeof composition>;
