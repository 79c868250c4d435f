/** The facade: one server for clients, one for operators. */
export { buildApp } from './app.ts';
export type { Facade, FacadeOptions } from './app.ts';
