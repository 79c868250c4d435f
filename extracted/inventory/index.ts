/** The inventory service: for those that run it, and for its contract tests. */
export { buildApp, inventoryGuard } from './app.ts';
