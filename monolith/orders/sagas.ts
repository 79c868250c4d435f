import { createSagaDesk, DEFAULT_POLICY } from '../../chassis/index.ts';
import type {
  Database,
  SagaDefinition,
  SagaDesk,
  SagaStore,
  Transaction,
} from '../../chassis/index.ts';
import { createLegacyKeys } from '../legacy/index.ts';
import { cancelSaga } from './cancel.ts';
import type { Cancelling } from './cancel.ts';
import type { Publish } from './events.ts';
import { placeSaga } from './place.ts';
import type { OrderSagaDeps, Placing } from './place.ts';
import { createSagaStore } from './saga-store.ts';

/** One type of saga, and where it is kept. */
export interface KeptSaga<Data> {
  readonly definition: SagaDefinition<Data, Transaction>;
  readonly store: SagaStore<Data, Transaction>;
}

export interface OrderSagas {
  readonly place: KeptSaga<Placing>;
  readonly cancel: KeptSaga<Cancelling>;
}

/** The sagas of orders. */
export function orderSagas(deps: OrderSagaDeps & { readonly database: Database }): OrderSagas {
  const kept = <Data>(definition: SagaDefinition<Data, Transaction>): KeptSaga<Data> => {
    return { definition, store: createSagaStore<Data>(deps.database, definition) };
  };
  return { place: kept(placeSaga(deps)), cancel: kept(cancelSaga(deps)) };
}

/** Where the keys of requests for orders are kept. */
export const orderKeys = createLegacyKeys('ORD_IDEM');

/** What operators do about the sagas of orders, in a process that decides about them and takes no step itself. */
export function orderSagaDesks(database: Database, publish: Publish): readonly SagaDesk[] {
  const notHere = (): Promise<never> =>
    Promise.reject(new Error('the monolith takes the steps of orders'));
  const { place, cancel } = orderSagas({
    database,
    publish,
    keys: orderKeys,
    policy: DEFAULT_POLICY,
    inventory: notHere,
    payment: notHere,
  });
  return [
    createSagaDesk(place.definition, place.store),
    createSagaDesk(cancel.definition, cancel.store),
  ];
}
