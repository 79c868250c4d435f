import { figProcesses } from '../../system/index.ts';

/** The variables of all ports that the shop's processes open, such as `FACADE_PORT`. */
export const PORT_VARIABLES: readonly string[] = figProcesses.flatMap(({ ports }) =>
  ports.map(({ variable }) => variable),
);

/** Has each of these ports be a free one. */
export const FREE_PORTS: Readonly<Record<string, string>> = Object.fromEntries(
  PORT_VARIABLES.map((variable) => [variable, '0']),
);
