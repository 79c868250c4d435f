import type { CompositionConfig, FigConfig } from '../../../routing/index.ts';
import type { Handler } from '../../forward/index.ts';
import { RouteTable } from '../../match/index.ts';
import type { Identity } from '../../request/index.ts';
import { compose } from './compose.ts';

/**
 * Answers requests whose path is a composition's; all others are left to `next`.
 * @param system who asks for parts that are the facade's own affair; undefined where callers are not known
 */
export function composing(
  { compositions }: Pick<FigConfig['gateway'], 'compositions'>,
  system: Identity | undefined,
  next: Handler,
): Handler {
  const table = new RouteTable<CompositionConfig>();
  for (const composition of compositions) table.add(composition.path, composition);
  return (context, deps) => {
    const { method, path } = context.form;
    const composition = method === 'GET' || method === 'HEAD' ? table.match(path) : undefined;
    if (composition) compose(context, deps, composition, system);
    else next(context, deps);
  };
}
