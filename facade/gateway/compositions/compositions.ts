import type { CompositionConfig, FigConfig } from '../../../routing/index.ts';
import type { FacadeDeps, RequestContext } from '../../forward/index.ts';
import { RouteTable } from '../../match/index.ts';
import type { Identity } from '../../request/index.ts';
import { compose } from './compose.ts';

/** The paths that are answered with several answers. */
export class Compositions {
  readonly #table = new RouteTable<CompositionConfig>();
  readonly #isEmpty: boolean;
  readonly #system: Identity | undefined;

  /** @param system who asks for parts that are the facade's own affair; undefined where callers are not known */
  constructor({ compositions }: FigConfig['gateway'], system: Identity | undefined) {
    this.#isEmpty = compositions.length === 0;
    this.#system = system;
    for (const composition of compositions) this.#table.add(composition.path, composition);
  }

  /** Answers a request whose path is a composition's. @returns false for any other */
  answer(context: RequestContext, deps: FacadeDeps): boolean {
    if (this.#isEmpty) return false;
    const { method, path } = context.form;
    if (method !== 'GET' && method !== 'HEAD') return false;
    const composition = this.#table.match(path);
    if (!composition) return false;
    compose(context, deps, composition, this.#system);
    return true;
  }
}
