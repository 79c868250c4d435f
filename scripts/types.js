/**
 * For the package: leaves of the declarations that the compiler has made, in `dist/types`, those that `index.d.ts`
 * and `guard/index.d.ts` lead to. A folder's `index.ts` names everything in it; here an import goes to the file that declares the name,
 * so that users need the types of no package whose types they do not meet.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findFiles } from './files.js';

const root = join(import.meta.dirname, '..', 'dist', 'types');
const NAMED = /^(import|export) (type )?\{([^}]*)\} from '(\.[^']+)';$/gm;
const ALL = /^export (?:type )?\* from '(\.[^']+)';$/gm;
const INLINE = /import\("(\.[^"]+\.ts)"\)\.(\w+)/g;
const DECLARED =
  /^export (?:declare )?(?:abstract )?(?:const|let|function|class|interface|type) (\w+)/gm;

const texts = new Map();
const kept = new Map();

function textOf(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'));
  return texts.get(file);
}

function target(file, path) {
  return join(dirname(file), path.replace(/\.ts$/, '.d.ts'));
}

/** `A as B` and `type A`, as they are written between braces. */
function names(list) {
  return list
    .split(',')
    .map((each) => each.trim().replace(/^type /, ''))
    .filter((each) => each !== '')
    .map((each) => each.split(' as '))
    .map(([from, to = from]) => ({ from, to }));
}

/** The file that declares what a file exports under a name, and its name there. */
function declarationOf(file, name) {
  const text = textOf(file);
  if ([...text.matchAll(DECLARED)].some(([, declared]) => declared === name)) return { file, name };
  for (const [, kind, , list, path] of text.matchAll(NAMED)) {
    const found = kind === 'export' && names(list).find(({ to }) => to === name);
    if (found) return declarationOf(target(file, path), found.from);
  }
  for (const [, path] of text.matchAll(ALL)) {
    const found = declarationOf(target(file, path), name);
    if (found) return found;
  }
  return undefined;
}

function keep(file) {
  if (kept.has(file)) return;
  kept.set(file, '');
  /** A name of another file, and from where. */
  const found = (path, name) => {
    const declaration = declarationOf(target(file, path), name);
    if (!declaration) throw new Error(`${file}: ${path} declares no ${name}`);
    keep(declaration.file);
    return { ...declaration, from: pathTo(file, declaration.file) };
  };
  const text = textOf(file)
    .replaceAll(NAMED, (_all, kind, type = '', list, path) =>
      names(list)
        .map(({ from: wanted, to }) => {
          const { name, from } = found(path, wanted);
          return `${kind} ${type}{ ${name === to ? to : `${name} as ${to}`} } from '${from}';`;
        })
        .join('\n'),
    )
    .replaceAll(INLINE, (_all, path, wanted) => {
      const { name, from } = found(path, wanted);
      return `import("${from}").${name}`;
    });
  const left = /(?:from|import\() ?['"]\.[^'"]+\.ts['"]/.exec(text);
  if (left) throw new Error(`${file}: ${left[0]} is of a form that this script does not know`);
  kept.set(file, text);
}

function pathTo(file, other) {
  const path = relative(dirname(file), other).replace(/\.d\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

if (!existsSync(root)) throw new Error(`${root} is missing: npx tsc -p tsconfig.package.json`);
keep(join(root, 'index.d.ts'));
keep(join(root, 'guard', 'index.d.ts'));
for (const file of findFiles(root, () => true)) {
  const text = kept.get(file);
  if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
}
