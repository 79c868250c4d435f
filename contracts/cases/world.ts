/**
 * What a target must hold before the cases run. Each case that changes stock has SKUs of its own,
 * and sets their level before it starts, so that cases do not disturb each other and may run again.
 */
export const WORLD = {
  products: Array.from({ length: 25 }, (_, index) => ({
    // The last as shops write them, which paths carry in escapes only.
    sku: index === 24 ? 'CT-25 X/2' : `CT-${String(index + 1).padStart(2, '0')}`,
    name: `Contract test article ${index + 1}`,
    unitPrice: { amount: 250 + 125 * index, currency: 'USD' as const },
    onHand: 100,
  })),
  customers: [
    { id: 'CT-CUSTOMER-1', name: 'First customer', country: 'Norway' },
    { id: 'CT-CUSTOMER-2', name: 'Second customer', country: 'Peru' },
  ],
} as const;
