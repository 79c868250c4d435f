import type { FigConfig } from '../../routing/index.ts';
import { readingsOf } from '../request/index.ts';
import { pathReader } from './parameters.ts';
import { RouteTable } from './routes.ts';

interface Ruled {
  /** As in the routes of a capability. */
  readonly path: string;
  /** All when left out; HEAD goes with GET. */
  readonly methods?: readonly string[] | undefined;
}

/** Rules by path and method, in the order in which they count. */
export class PathRules<T extends Ruled> {
  readonly #rules: readonly { readonly rule: T; readonly paths: RouteTable<true> }[];
  readonly #read: (path: string) => string;

  constructor(rules: readonly T[], config: Pick<FigConfig, 'stripsParameters' | 'monolith'>) {
    this.#read = pathReader(config);
    this.#rules = rules.map((rule) => {
      const paths = new RouteTable<true>();
      paths.add(rule.path, true);
      return { rule, paths };
    });
  }

  /**
   * The first rule that fits. A path with encoded slashes is also taken as servers see it that decode
   * them: else a client could spell its way around a rule.
   * @param given path in canonical form
   */
  find(method: string, given: string): T | undefined {
    return this.#first(method, this.#readings(given));
  }

  /** For each way in which servers see a path: the first rule that fits it, undefined where none does. */
  findEach(method: string, given: string): readonly (T | undefined)[] {
    return this.#readings(given).map((reading) => this.#first(method, [reading]));
  }

  #readings(given: string): readonly string[] {
    const path = this.#read(given);
    return path.includes('%') ? [path, ...readingsOf(path)] : [path];
  }

  #first(method: string, readings: readonly string[]): T | undefined {
    for (const { rule, paths } of this.#rules) {
      if (takes(rule, method) && readings.some((path) => paths.match(path) === true)) return rule;
    }
    return undefined;
  }
}

function takes({ methods }: Ruled, method: string): boolean {
  if (methods === undefined || methods.includes(method)) return true;
  return method === 'HEAD' && methods.includes('GET');
}
