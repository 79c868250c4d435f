import type { Database, SagaDefinition, SagaStore, Transaction } from '../../chassis/index.ts';
import { cancelSaga } from './cancel.ts';
import type { Cancelling } from './cancel.ts';
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
