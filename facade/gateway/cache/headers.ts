import { headerOf } from '../../upstream/index.ts';

/** Reading headers that are names and values in turn. */
type Fields = readonly string[];

/** Those headers whose lower-case name passes. */
export function kept(fields: Fields, keeps: (name: string) => boolean): string[] {
  return fields.filter((_text, index) =>
    keeps((fields[index - (index % 2)] as string).toLowerCase()),
  );
}

/** The directives of Cache-Control, by lower-case name; the value is empty where there is none. */
export function directivesOf(fields: Fields): ReadonlyMap<string, string> {
  const text = headerOf({ headers: fields }, 'cache-control') ?? '';
  return new Map(
    [...text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]+)))?/g)].map(
      ([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? ''],
    ),
  );
}
