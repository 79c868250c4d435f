export { shippingRoutes } from './routes.ts';
export { createShipping } from './subscriber.ts';
export { shipDue } from './ship.ts';
