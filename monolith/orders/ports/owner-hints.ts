export type Side = 'local' | 'remote';

/** Who owned last, to be asked first. A wrong hint costs a refused call, nothing else. */
export interface OwnerHints {
  of(customerId: string | undefined): Side;
  /** @param alone whether the other side refused this customer by a fence of their own */
  accepted(side: Side, customerId: string | undefined, alone: boolean): void;
}

/** How many customers are remembered who have another owner than the rest. */
const REMEMBERED = 10_000;

export function createOwnerHints(): OwnerHints {
  let rest: Side = 'local';
  /** Customers with another owner than the rest, the longest known first. */
  const apart = new Map<string, Side>();

  return {
    of: (customerId) =>
      (apart.size > 0 && customerId !== undefined ? apart.get(customerId) : undefined) ?? rest,
    accepted(side, customerId, alone) {
      if (customerId !== undefined && alone && side !== rest) {
        apart.set(customerId, side);
        const [oldest] = apart.keys();
        if (apart.size > REMEMBERED && oldest !== undefined) apart.delete(oldest);
        return;
      }
      // It was expected there: that says nothing of the rest.
      if (customerId !== undefined && apart.get(customerId) === side && side !== rest) return;
      if (customerId !== undefined) apart.delete(customerId);
      if (!alone) rest = side;
    },
  };
}
