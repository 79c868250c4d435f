/** How changes get from the owner's database to the other side. */
export * from './applier.ts';
export * from './barrier.ts';
export * from './pipeline.ts';
export * from './hydrate-secrets.ts';
export * from './trim.ts';
