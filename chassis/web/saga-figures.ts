import type { SagaStore } from '../saga/index.ts';
import type { ReadinessCheck } from './http-app.ts';
import type { Figure } from './metrics.ts';

/** One type of saga, and where it is kept. */
interface CountedSagas {
  readonly definition: { readonly type: string };
  readonly store: Pick<SagaStore<never, never>, 'countOpen'>;
}

/** How many sagas have not ended, by type and state; they are counted when a monitor asks. */
export function sagaFigure(sagas: readonly CountedSagas[]): Figure {
  return {
    name: 'fig_sagas',
    help: 'Sagas that have not ended, by type and state',
    labels: ['type', 'state'],
    read: async () =>
      (await countsOf(sagas)).map(({ type, state, count }) => {
        return { value: count, labels: { type, state } };
      }),
  };
}

/**
 * A process that has stuck sagas is ready all the same, and says so.
 * @param remedy what an operator does about them
 */
export function sagaCheck(sagas: readonly CountedSagas[], remedy: string): ReadinessCheck {
  return async () => {
    const told = (await countsOf(sagas))
      .filter(({ count, state }) => count > 0 && (state === 'stuck' || state === 'unknown_version'))
      .map(({ type, state, count }) =>
        state === 'stuck'
          ? `${count} of type ${type} are stuck`
          : `${count} of type ${type} are of a version that this build does not know`,
      );
    return told.length === 0 ? true : { note: `${told.join(', ')}; ${remedy}` };
  };
}

async function countsOf(sagas: readonly CountedSagas[]) {
  const counted = sagas.map(async ({ definition: { type }, store }) =>
    Object.entries(await store.countOpen()).map(([state, count]) => ({ type, state, count })),
  );
  return (await Promise.all(counted)).flat();
}
