import { argumentsOf, byPlace, code, folderOf, isNode, lastName, sources, text } from './syntax.ts';
import type { Node } from './syntax.ts';

const NAME = /^[A-Z][A-Z0-9_]*$/;
/** Fields by which processes declare the variables that they are told by. */
const DECLARED = new Set(['variable', 'urlVariable']);

/** Every environment variable that a program reads, with its default where the code says one. */
export function environment(): string {
  const found: [string, string][] = [];
  const computed: [string, string][] = [];
  for (const { file, nodes } of sources()) {
    const defaults = new Map(nodes.flatMap(fallback));
    for (const node of nodes) {
      const name = read(node) ?? declared(node);
      if (name !== undefined) found.push([`${name}${defaults.get(node) ?? ''}`, folderOf(file)]);
      if (isComputed(node) && !/^(tests|bench)\//.test(file))
        computed.push([code(node), folderOf(file)]);
    }
  }
  return `${byPlace(found)}\nby a name that is computed:\n${byPlace(computed)}`;
}

/** Of `env['X']`, `process.env.X`, `readPort(env, 'X', 1)`. */
function read(node: Node): string | undefined {
  if (node.type === 'MemberExpression' && lastName(node['object']) === 'env') {
    const name = lastName(node);
    return name !== undefined && NAME.test(name) ? name : undefined;
  }
  if (node.type !== 'CallExpression') return undefined;
  const [from, name] = argumentsOf(node).map((each) => [lastName(each), text(each)] as const);
  if (from?.[0] !== 'env' && from?.[0] !== 'given') return undefined;
  const variable = name?.[1];
  return variable !== undefined && NAME.test(variable) ? variable : undefined;
}

function declared(node: Node): string | undefined {
  if (node.type !== 'KeyValueProperty') return undefined;
  const name = text(node['value']);
  const field = lastName(node['key']) ?? '';
  return DECLARED.has(field) && name !== undefined && NAME.test(name) ? name : undefined;
}

/** Which node reads a variable with which default. */
function fallback(node: Node): readonly (readonly [Node, string])[] {
  if (node.type === 'CallExpression' && read(node) !== undefined) {
    const third = argumentsOf(node)[2];
    return third ? [[node, ` = ${code(third)}`]] : [];
  }
  if (node.type !== 'BinaryExpression') return [];
  const { left, right } = node as unknown as Record<'left' | 'right', Node>;
  const isDefault = node['operator'] === '||' || node['operator'] === '??';
  if (!isDefault || read(left) === undefined) return [];
  return right.type === 'StringLiteral' ? [[left, ` = ${code(right)}`]] : [];
}

function isComputed(node: Node): boolean {
  if (node.type !== 'MemberExpression' || lastName(node['object']) !== 'env') return false;
  const property = node['property'];
  return (
    isNode(property) && property.type === 'Computed' && text(property['expression']) === undefined
  );
}
