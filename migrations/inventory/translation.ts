import type {
  Adjustment,
  AdjustmentV2,
  StockLevel,
  StockLevelPage,
  StockLevelPageV2,
  StockLevelV2,
} from '../../contracts/index.ts';

interface Translation {
  path: string;
  methods: ('GET' | 'POST')[];
  answer?: TranslateAnswer;
}

type TranslateAnswer = (body: unknown, status: number) => unknown;

/**
 * Between the two versions of the inventory's interface (anti-corruption layer). The monolith puts a SKU's
 * stock into one row, and speaks version 1; version 2 shows the service's own model, in which counting goods
 * and promising them are two things. Each answer of version 1 has all that one of version 2 says, so it is
 * the same whichever side gives it. Requests and refusals are the same in both.
 */
export const inventoryV2: Translation[] = [
  {
    path: '/api/inventory',
    methods: ['GET'],
    answer: accepted((body) => page(body as StockLevelPage)),
  },
  {
    path: '/api/inventory/:sku',
    methods: ['GET'],
    answer: accepted((body) => level(body as StockLevel)),
  },
  {
    path: '/api/inventory/:sku/adjustments',
    methods: ['POST'],
    answer: accepted((body) => adjustment(body as Adjustment)),
  },
  { path: '/api/inventory/reservations', methods: ['POST'] },
  { path: '/api/inventory/reservations/:id', methods: ['GET'] },
  { path: '/api/inventory/reservations/:id/commit', methods: ['POST'] },
  { path: '/api/inventory/reservations/:id/release', methods: ['POST'] },
];

function level({ sku, onHand, reserved, available }: StockLevel): StockLevelV2 {
  return { sku, level: { onHand }, hold: { reserved }, available };
}

function page({ items, nextCursor }: StockLevelPage): StockLevelPageV2 {
  return { items: items.map(level), nextCursor };
}

function adjustment({ stock, ...made }: Adjustment): AdjustmentV2 {
  return { ...made, stock: level(stock) };
}

/** Problems are the same in both versions. */
function accepted(translate: (body: unknown) => unknown): TranslateAnswer {
  return (body, status) => (status < 300 ? translate(body) : body);
}
