import { z } from 'zod';
import { method, path } from '../path-pattern.ts';

/** Must be pure: the same in gives the same out, and nothing else happens. What it gets is JSON, parsed. */
export type TranslateRequest = (body: unknown) => unknown;
export type TranslateAnswer = (body: unknown, status: number) => unknown;

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** Paths that a version has, and what is different there from the version that upstreams speak. */
const translation = z.strictObject({
  /** As upstreams know it, without a version. */
  path,
  /** HEAD goes with GET. */
  methods: z.array(method).min(1).default(['GET']),
  /** Makes the body that upstreams take of one of this version; it may throw a Problem. The same body when left out. */
  request: z
    .custom<TranslateRequest>(isFunction, 'give a function that translates a body')
    .optional(),
  /** Makes a body of this version of an upstream's answer, of a problem too. The same body when left out. */
  answer: z
    .custom<TranslateAnswer>(isFunction, 'give a function that translates a body')
    .optional(),
});

const versionName = z.string().regex(/^v\d+$/, 'give a version such as "v2"');
const date = z.union([z.iso.date(), z.iso.datetime()], 'give a date such as "2030-06-30"');

/** Versions of the interface, by the segment behind `base`: `/api/v1/items` and `/api/v2/items`. */
export const versions = z
  .strictObject({
    base: z
      .string()
      .regex(/^(\/[\w.~-]+)+$/, 'give a path such as "/api"')
      .default('/api'),
    /** The version that all upstreams speak, under paths without a version. */
    spoken: versionName.default('v1'),
    /** Paths without a version mean the spoken one; with these dates, their answers say so. */
    unversioned: z
      .strictObject({
        /** Since when they are deprecated, or from when on (RFC 9745). */
        deprecated: date,
        /** When they go (RFC 8594). */
        sunset: date.optional(),
      })
      .optional(),
    /** The other versions: all of the paths that each has. */
    translated: z.record(versionName, z.array(translation).min(1)).default({}),
  })
  .refine(({ spoken, translated }) => !(spoken in translated), {
    path: ['translated'],
    error: 'the spoken version needs no translation',
  });

export type VersionsConfig = z.output<typeof versions>;
export type TranslationConfig = z.output<typeof translation>;
