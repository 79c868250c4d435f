/** The migration engine's public surface. */
export * from './mapping/index.ts';
