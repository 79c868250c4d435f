/** The payment service: for those that run it, and for its contract tests. */
export { buildApp, paymentGuard, paymentKeys } from './app.ts';
export { createProvider } from './provider.ts';
