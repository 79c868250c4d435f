/** The payment service: for those that run it, and for its contract tests. */
export { buildApp, paymentKeys } from './app.ts';
export { paymentGuard } from './guard.ts';
export { createProvider } from './provider.ts';
