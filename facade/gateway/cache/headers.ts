/** Reading headers that are names and values in turn. */
type Fields = readonly string[];

/** The value of a header; those of several lines, joined. @param name in lower case */
export function valueOf(fields: Fields, name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const each = fields[index] as string;
    if (each.length !== name.length || each.toLowerCase() !== name) continue;
    const value = fields[index + 1] as string;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** Those headers whose lower-case name passes. */
export function kept(fields: Fields, keeps: (name: string) => boolean): string[] {
  return fields.filter((_text, index) =>
    keeps((fields[index - (index % 2)] as string).toLowerCase()),
  );
}

/** The directives of Cache-Control, by lower-case name; the value is empty where there is none. */
export function directivesOf(fields: Fields): ReadonlyMap<string, string> {
  const text = valueOf(fields, 'cache-control') ?? '';
  return new Map(
    [...text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]+)))?/g)].map(
      ([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? ''],
    ),
  );
}
