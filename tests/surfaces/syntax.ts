import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseSync, printSync } from '@swc/core';
import { projectRoot } from '../../system/index.ts';

/** A node of the syntax tree; what it holds depends on its type. */
export interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A file of the product, parsed. */
export interface Source {
  /** Path from the project's root. */
  readonly file: string;
  readonly nodes: readonly Node[];
}

const SKIPPED = new Set(['node_modules', 'dist', 'docs', 'examples', 'fixtures']);
/** Tests, what they are made with, and what reads the surfaces. */
const TESTS = /(\.test\.ts|^tests\/(surfaces|unleash|strangler|model)\/.*)$/;

let parsed: readonly Source[] | undefined;

/** All programs of this repository, without their tests. */
export function sources(...folders: readonly string[]): readonly Source[] {
  parsed ??= files(projectRoot)
    .map((path) => relative(projectRoot, path))
    .filter((file) => !TESTS.test(file))
    .sort()
    .map((file) => ({ file, nodes: [...walk(parse(join(projectRoot, file)))] }));
  if (folders.length === 0) return parsed;
  return parsed.filter(({ file }) => folders.some((folder) => file.startsWith(`${folder}/`)));
}

function files(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return files(path);
    return /\.[jt]s$/.test(entry.name) ? [path] : [];
  });
}

function parse(path: string): Node {
  return parseSync(readFileSync(path, 'utf8'), {
    syntax: 'typescript',
    target: 'es2022',
  }) as unknown as Node;
}

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const each of value) yield* walk(each);
  } else if (isNode(value)) {
    yield value;
    for (const each of Object.values(value)) yield* walk(each);
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) yield* walk(each);
  }
}

export function isNode(value: unknown): value is Node {
  return typeof (value as Node | null | undefined)?.type === 'string';
}

/** The text of a string literal; undefined for anything else. */
export function text(value: unknown): string | undefined {
  return isNode(value) && value.type === 'StringLiteral' ? (value['value'] as string) : undefined;
}

/** The last part of what an expression names: `env` of `options.env`, `set` of `res.set`. */
export function lastName(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'Identifier' || value.type === 'PrivateName') return String(value['value']);
  if (value.type === 'MemberExpression') {
    const property = value['property'] as Node;
    return property.type === 'Computed' ? text(property['expression']) : lastName(property);
  }
  if (value.type === 'TsNonNullExpression' || value.type === 'ParenthesisExpression') {
    return lastName(value['expression']);
  }
  return undefined;
}

/** What a call or a `new` is given. */
export function argumentsOf(node: Node): readonly Node[] {
  const given = (node['arguments'] ?? []) as readonly { readonly expression: Node }[];
  return given.map(({ expression }) => expression);
}

/** An expression as code, on one line. */
export function code(expression: Node): string {
  const span = { start: 0, end: 0, ctxt: 0 };
  const statement = { type: 'ExpressionStatement', span, expression };
  const program = { type: 'Module', span, body: [statement], interpreter: null };
  const printed = printSync(program as unknown as Parameters<typeof printSync>[0]).code;
  return printed
    .trim()
    .replace(/;$/, '')
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** The top-level folder of a file. */
export function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : file;
}

/** Lines in the order of their bytes, each once. */
export function lines(all: Iterable<string>): string {
  return [...new Set(all)]
    .sort()
    .map((line) => `${line}\n`)
    .join('');
}

/** What was found, each with all the places where. */
export function byPlace(found: Iterable<readonly [what: string, place: string]>): string {
  const places = new Map<string, Set<string>>();
  for (const [what, place] of found) {
    places.set(what, (places.get(what) ?? new Set()).add(place));
  }
  return lines([...places].map(([what, where]) => `${what}  (${[...where].sort().join(', ')})`));
}
