/** Connections to Redis. Apart from the rest, since only whoever makes one loads its client. */
export * from './connection.ts';
