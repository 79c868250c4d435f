import { afterAll, beforeAll } from '@jest/globals';
import type { System } from '../../system/index.ts';
import { changesByHand } from '../journeys/by-hand.ts';
import { identicalOrders } from '../journeys/identical-orders.ts';
import { openSystem } from '../support/index.ts';
import { figCommands } from './fig-commands.ts';
import { forgedMessages } from './forged-messages.ts';
import { operatorsPorts } from './operators-ports.ts';
import { deathsAndStops, readiness } from './fig-system.ts';

/**
 * What needs a whole system, but not one of its own: starting it takes longer than most of this. In this
 * order, since each finds what those before have left.
 */
let opened: Awaited<ReturnType<typeof openSystem>>;

beforeAll(async () => {
  opened = await openSystem();
}, 180_000);
afterAll(() => opened.close());

const system = (): System => opened.system;
readiness(system);
operatorsPorts(system);
figCommands(system);
identicalOrders(system);
forgedMessages(system);
changesByHand(system);
deathsAndStops(system);
