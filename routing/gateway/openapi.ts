import { z } from 'zod';

const sitePath = z.string().regex(/^(\/[\w.~-]+)+$/, 'give a path such as "/docs"');

/** Makes a document; it is called once, when one is asked for. */
export type MakeDocument = () => unknown;

/** The interface's documents, and a page to read and try it. */
export const openapi = z.strictObject({
  /**
   * By name, such as a version: the path of a JSON file, relative to the configuration's, or a function that makes
   * the document. The first is `/openapi.json`; each is `/openapi/NAME.json`.
   */
  documents: z
    .record(
      z.string().regex(/^[\w-]{1,32}$/, 'give a name such as "v1"'),
      z.union([
        z.string().min(1),
        z.custom<MakeDocument>(
          (value) => typeof value === 'function',
          'give a path, or a function that makes the document',
        ),
      ]),
    )
    .refine((documents) => Object.keys(documents).length > 0, 'give at least one document'),
  /** Where the page is; `false` for none. */
  page: z.union([sitePath, z.literal(false)]).default('/docs'),
});

export type OpenApiConfig = z.output<typeof openapi>;
