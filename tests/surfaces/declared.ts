import { dirname } from 'node:path';
import { PROBLEMS } from '../../contracts/index.ts';
import {
  argumentsOf,
  byPlace,
  code,
  folderOf,
  isNode,
  lastName,
  lines,
  sources,
  text,
} from './syntax.ts';
import type { Node } from './syntax.ts';

type Found = readonly [what: string, place: string];

function collect(
  folders: readonly string[],
  find: (node: Node) => string | readonly string[] | undefined,
  place: (file: string) => string = folderOf,
): Found[] {
  return sources(...folders).flatMap(({ file, nodes }) =>
    nodes.flatMap((node) => [find(node) ?? []].flat().map((what): Found => [what, place(file)])),
  );
}

function isNew(node: Node, name: string): boolean {
  return node.type === 'NewExpression' && lastName(node['callee']) === name;
}

const shown = (node: Node | undefined): string => (node ? (text(node) ?? code(node)) : '?');

/** The codes of problem+json answers, each with its status. */
export function problemCodes(): string {
  const made = collect([], (node) => {
    if (!isNew(node, 'Problem')) return undefined;
    const [status, name] = argumentsOf(node);
    return `${shown(name)} ${shown(status)}`;
  });
  const contract = Object.entries(PROBLEMS).map(([name, { status }]): Found => [
    `${name} ${status}`,
    'contracts',
  ]);
  return byPlace([...contract, ...made]);
}

/** How programs end: their exit codes, and the codes of what `fig` reports as failed. */
export function exitCodes(): string {
  const ends = collect(
    [],
    (node) => {
      const { callee, left, right } = node as unknown as Record<string, Node>;
      if (node.type === 'CallExpression' && isOfProcess(callee, 'exit')) {
        return `exit ${argumentsOf(node).map(code).join()}`;
      }
      if (node.type !== 'AssignmentExpression' || !isOfProcess(left, 'exitCode')) return undefined;
      return `exit ${code(right as Node)}`;
    },
    (file) => dirname(file),
  );
  const failuresOf = (program: string, folders: readonly string[]) =>
    collect(folders, (node) => {
      if (!isNew(node, 'CommandError')) return undefined;
      const [exit, name] = argumentsOf(node);
      return `${program} ${shown(name)}: ${shown(exit)}`;
    });
  return [
    'Of fig, by name:',
    lines(constants('EXIT')),
    'What fig reports as failed, as `error.code`:',
    byPlace(failuresOf('fig', ['chassis', 'strangler'])),
    'What shop does, besides what both have from chassis:',
    byPlace(failuresOf('shop', ['monolith'])),
    'Where a process ends itself, and with what:',
    byPlace(ends),
  ].join('\n');
}

function isOfProcess(node: Node | undefined, name: string): boolean {
  return lastName(node) === name && lastName(node?.['object']) === 'process';
}

/** The members of an object constant of that name. */
function constants(name: string): readonly string[] {
  return sources().flatMap(({ nodes }) =>
    nodes
      .filter((node) => node.type === 'VariableDeclarator' && lastName(node['id']) === name)
      .flatMap((node) => members(node['init'] as Node)),
  );
}

function members(node: Node): readonly string[] {
  if (node.type === 'TsConstAssertion' || node.type === 'TsAsExpression') {
    return members(node['expression'] as Node);
  }
  const properties = (node['properties'] ?? []) as readonly Node[];
  return properties.map((each) => `${lastName(each['key'])}: ${shown(each['value'] as Node)}`);
}

const ROUTE = new Set(['get', 'post', 'put', 'patch', 'delete', 'all', 'use']);

/** Every path that a program serves, by the file that serves it. */
export function httpRoutes(): string {
  return byPlace(
    collect(
      ['chassis', 'monolith', 'extracted', 'facade', 'routing', 'strangler'],
      (node) => {
        if (node.type !== 'CallExpression') return undefined;
        const method = lastName(node['callee']) ?? '';
        const path = text(argumentsOf(node)[0]);
        if (!ROUTE.has(method) || path?.startsWith('/') !== true) return undefined;
        return `${path} ${method.toUpperCase()}`;
      },
      (file) =>
        file
          .split('/')
          .slice(0, file.startsWith('extracted/') ? 2 : 1)
          .join('/'),
    ),
  );
}

const SETTERS = new Set(['set', 'setHeader', 'appendHeader', 'append', 'header', 'get', 'push']);
const HEADER = /^(x-[a-z-]+|[a-z]+(-[a-z]+)*)$/i;
const SERVERS = ['chassis', 'contracts', 'monolith', 'extracted', 'facade', 'routing', 'strangler'];

/** Headers that programs read, set or pass on, as far as the code names them. */
export function namedHeaders(): string {
  const found = collect(SERVERS, (node) => {
    if (node.type === 'StringLiteral') {
      const value = String(node['value']);
      return /^x-[a-z-]+$/i.test(value) ? value.toLowerCase() : undefined;
    }
    if (node.type === 'CallExpression' && SETTERS.has(lastName(node['callee']) ?? '')) {
      const owner = lastName((node['callee'] as Node)['object']);
      const name = text(argumentsOf(node)[0]);
      return /^(req|res|response|request|headers)$/.test(owner ?? '') ? header(name) : undefined;
    }
    if (node.type === 'MemberExpression' && lastName(node['object']) === 'headers') {
      return (node['property'] as Node).type === 'Computed' ? header(lastName(node)) : undefined;
    }
    if (node.type !== 'KeyValueProperty' || lastName(node['key']) !== 'headers') return undefined;
    const properties = ((node['value'] as Node)['properties'] ?? []) as readonly Node[];
    return properties.flatMap((each) => header(text(each['key']) ?? lastName(each['key'])) ?? []);
  });
  return byPlace(found);
}

function header(name: string | undefined): string | undefined {
  return name !== undefined && HEADER.test(name) ? name.toLowerCase() : undefined;
}

/** Names that everybody on one Redis shares, as far as the code spells them out. */
export function namedInRedis(): string {
  return byPlace(
    collect([], (node) => {
      if (node.type === 'StringLiteral') {
        const value = String(node['value']);
        return /^(fig|bull):./.test(value) ? value : undefined;
      }
      // One of a type is no text that the code makes.
      if (node.type !== 'TemplateLiteral' || !('expressions' in node)) return undefined;
      const printed = code(node).slice(1, -1);
      return /^(fig|bull):./.test(printed) ? printed : undefined;
    }),
  );
}

/** The values that fields of JSON documents take: types that list texts, and codes of findings. */
export function jsonValues(): string {
  const unions = collect(['routing', 'strangler', 'facade'], (node) => {
    const alias = node.type === 'ExportDeclaration' ? (node['declaration'] as Node) : node;
    if (node === alias || alias.type !== 'TsTypeAliasDeclaration') return undefined;
    const values = textsOf(alias['typeAnnotation'] as Node);
    if (values === undefined || values.length < 2) return undefined;
    return `${lastName(alias['id'])}: ${values.toSorted().join(' | ')}`;
  });
  const codes = collect(['routing', 'strangler', 'facade'], (node) => {
    if (node.type !== 'KeyValueProperty') return undefined;
    const field = lastName(node['key']) ?? '';
    const value = text(node['value']);
    if (value === undefined || !['code', 'gate', 'outcome'].includes(field)) return undefined;
    return `${field}: ${value}`;
  });
  const diagnoses = collect(['strangler/doctor'], (node) =>
    node.type === 'CallExpression' && lastName(node['callee']) === 'finding'
      ? `code: ${shown(argumentsOf(node)[1])}`
      : undefined,
  );
  return `${byPlace(unions)}\n${byPlace([...codes, ...diagnoses])}`;
}

/** The texts that a type lists; another type that it takes in is named in brackets. */
function textsOf(node: Node): readonly string[] | undefined {
  if (node.type === 'TsLiteralType') {
    const value = text(node['literal']);
    return value === undefined ? undefined : [value];
  }
  if (node.type !== 'TsUnionType') return undefined;
  const types = node['types'] as readonly Node[];
  if (!types.some((member) => textsOf(member) !== undefined)) return undefined;
  const parts = types.map((member) => textsOf(member) ?? namedType(member));
  return parts.includes(undefined) ? undefined : parts.flatMap((part) => part ?? []);
}

function namedType(node: Node): readonly string[] | undefined {
  if (node.type !== 'TsTypeReference') return undefined;
  return [`(${lastName(node['typeName'])})`];
}

/** What a declaration of a mapping is made of. */
const PARTS = new Set(['Codec', 'CopyOf', 'Mapping']);

/** What a mapping is declared with: types with their fields, and functions with what they take. */
export function mappingLanguage(): string {
  const types = collect(['strangler/mapping'], (node) => {
    if (node.type !== 'TsInterfaceDeclaration') return undefined;
    const { body } = node['body'] as { readonly body: readonly Node[] };
    return body.map(
      (each) => `${lastName(node['id'])}.${lastName(each['key'])}${each['optional'] ? '?' : ''}`,
    );
  });
  const functions = collect(['strangler/mapping'], (node) => {
    if (node.type !== 'ExportDeclaration') return undefined;
    const declaration = node['declaration'] as Node;
    if (declaration.type === 'VariableDeclaration') return aliases(declaration);
    if (declaration.type !== 'FunctionDeclaration' || !makesPart(declaration)) return undefined;
    const parameters = (declaration['params'] as readonly { readonly pat: Node }[]).map(({ pat }) =>
      parameter(pat),
    );
    return `${lastName(declaration['identifier'])}(${parameters.join(', ')})`;
  });
  return lines([...types, ...functions].map(([what]) => what));
}

/** Of `export const rename = same`. */
function aliases(declaration: Node): readonly string[] {
  return (declaration['declarations'] as readonly Node[])
    .filter(({ init }) => isNode(init) && init.type === 'Identifier')
    .map(({ id, init }) => `${lastName(id)} = ${lastName(init)}`);
}

function makesPart({ returnType }: Node): boolean {
  const type = isNode(returnType) ? (returnType['typeAnnotation'] as Node) : undefined;
  return PARTS.has(lastName(type?.['typeName']) ?? '');
}

function parameter(pattern: Node): string {
  if (pattern.type === 'AssignmentPattern') return `${parameter(pattern['left'] as Node)}?`;
  if (pattern.type === 'RestElement') return `...${parameter(pattern['argument'] as Node)}`;
  if (pattern.type === 'ObjectPattern') {
    const fields = (pattern['properties'] as readonly Node[]).map((each) => lastName(each['key']));
    return `{ ${fields.join(', ')} }`;
  }
  return `${lastName(pattern)}${pattern['optional'] ? '?' : ''}`;
}
