/** The last step of a capability's migration: the way back is closed, the old tables retired. */
export * from './completer.ts';
export * from './decide.ts';
export * from './dry-run.ts';
export * from './gates.ts';
export * from './record.ts';
export * from './machine.ts';
export * from './store-completer.ts';
