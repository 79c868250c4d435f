/** Of each field of a kind of document, the types that were seen. */
export type Shape = Map<string, Set<string>>;

/** A name that is a value, such as an id: it stands for all of its kind. */
const VALUE = /^([0-9a-f]{8}-[0-9a-f-]{27}|\d+)$/;

/** Lists of one kind wherever they are, and as long as the moment makes them: each has one shape. */
const SHARED = new Set(['next_steps', 'gates']);

/** What documents look like, by kind. */
export class Shapes {
  readonly #shapes = new Map<string, Shape>();

  /** Adds what a document shows. */
  add(kind: string, document: unknown): void {
    this.#add(kind, document, '');
  }

  /** One line a field: its path, and what it holds; only of kinds that begin so. */
  text(prefix: string): string {
    return [...this.#shapes]
      .filter(([kind]) => kind.startsWith(prefix))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([kind, shape]) => `${kind}\n${shapeText(shape)}`)
      .join('\n');
  }

  #add(kind: string, value: unknown, path: string): void {
    const shape = this.#shapes.get(kind) ?? new Map<string, Set<string>>();
    this.#shapes.set(kind, shape);
    shape.set(path, (shape.get(path) ?? new Set()).add(typeOf(value)));
    if (Array.isArray(value)) {
      const name = path.split('.').at(-1) ?? '';
      const shared = SHARED.has(name);
      for (const each of value) {
        if (shared) this.#add(`every item of ${name}`, each, '');
        else this.#add(kind, each, `${path}[]`);
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, each] of Object.entries(value)) {
        this.#add(kind, each, `${path}.${VALUE.test(name) ? '<id>' : name}`);
      }
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function shapeText(shape: Shape): string {
  const paths = [...shape.keys()];
  const hasParts = (path: string): boolean =>
    paths.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`));
  return [...shape]
    .map(([path, types]) => {
      const told = valuesOf(types).filter((type) => !isWhole(type) || !hasParts(path));
      return told.length === 0 ? '' : `  ${path === '' ? '.' : path}: ${told.join(' | ')}\n`;
    })
    .sort()
    .join('');
}

/** Whether a field is null depends on the moment: it says so only where nothing else was seen. */
function valuesOf(types: ReadonlySet<string>): readonly string[] {
  return types.size > 1 ? [...types].filter((type) => type !== 'null').sort() : [...types];
}

/** Whose parts say already that it is there. */
function isWhole(type: string): boolean {
  return type === 'object' || type === 'array';
}
