/** The events that a customer is told of. */
export type Template = keyof typeof TEMPLATES;

/** What an order's customer reads. */
const TEMPLATES = {
  OrderConfirmed: (order: string) => ({
    subject: `Order ${order} is confirmed`,
    text: `Your order ${order} is paid, and its goods are reserved for you. We write again when they leave.`,
  }),
  OrderRejected: (order: string) => ({
    subject: `Order ${order} could not be accepted`,
    text: `Your order ${order} could not be accepted. Nothing was charged, or what was charged is paid back.`,
  }),
  OrderCancelled: (order: string) => ({
    subject: `Order ${order} is cancelled`,
    text: `Your order ${order} is cancelled, and what you have paid is paid back.`,
  }),
  Shipped: (order: string) => ({
    subject: `Order ${order} is on its way`,
    text: `The goods of your order ${order} have left our house.`,
  }),
} as const;

export function textOf(template: Template, orderId: string): { subject: string; text: string } {
  return TEMPLATES[template](orderId);
}
