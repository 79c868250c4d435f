import { compiled } from './project.ts';

/** A port that a process opens: what it is for, the variable that sets it, and its default. */
export interface PortDefinition {
  readonly key: 'http' | 'admin';
  readonly variable: string;
  readonly fallback: number;
}

/** One Node process of the system, as the supervisor needs to know it. */
export interface ProcessDefinition {
  readonly name: string;
  /** Absolute path of the compiled main file. */
  readonly entry: string;
  /** The first one is the one that others call, and that answers `/readyz`. */
  readonly ports: readonly [PortDefinition, ...PortDefinition[]];
  /** The variable by which other processes learn this one's address. */
  readonly urlVariable: string;
  /** Of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** None of those that follow needs it to start, but those that are `last`: it starts beside them. */
  readonly beside?: true;
  /** It needs all that were started before it. */
  readonly last?: true;
}

/** Moves rows and ownership of the capabilities that have a mapping. */
export const engineProcess: ProcessDefinition = {
  name: 'engine',
  entry: compiled('strangler/main.js'),
  ports: [{ key: 'http', variable: 'ENGINE_PORT', fallback: 4003 }],
  urlVariable: 'ENGINE_URL',
};

/** Passes requests of clients on, and serves the console on its other port. */
export const facadeProcess: ProcessDefinition = {
  name: 'facade',
  entry: compiled('facade/main.js'),
  ports: [
    { key: 'http', variable: 'FACADE_PORT', fallback: 8080 },
    { key: 'admin', variable: 'ADMIN_PORT', fallback: 8081 },
  ],
  urlVariable: 'FACADE_URL',
};
