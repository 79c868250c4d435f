import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import type { Express, Response } from 'express';
import { isDatabaseReady, parse } from '../../chassis/index.ts';
import { createHttpApp } from '../../chassis/web/index.ts';
import type { Access, Database, Logger } from '../../chassis/index.ts';
import { createLedger } from './ledger.ts';
import type { Charge } from './schemas.ts';
import { ChargeRequest, RefundRequest } from './schemas.ts';

interface ProviderDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly access: Access;
  /** How long `card_slow` takes, in milliseconds. */
  readonly slowMs: number;
}

/** Waits until the client has had enough: the charge is booked, but its answer never arrives. */
function neverAnswer(res: Response): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) resolve();
    else res.once('close', resolve);
  });
}

/**
 * A card processor in the spirit of the test cards of real ones: what a charge comes to is decided
 * by its method alone. It is a stand-in for the outside world and no part of the shop.
 */
export function buildProvider({ database, log, access, slowMs }: ProviderDeps): Express {
  const ledger = createLedger(database);
  const router = express.Router();

  async function answer(res: Response, charge: Charge): Promise<void> {
    if (charge.method === 'card_timeout') return neverAnswer(res);
    if (charge.method === 'card_slow') await delay(slowMs);
    res.status(charge.requests === 1 ? 201 : 200).json(charge);
  }

  router.post('/charges', async (req, res) => {
    await answer(res, await ledger.charge(parse(ChargeRequest, req.body)));
  });
  router.get('/charges/:paymentId', async (req, res) => {
    res.json(await ledger.find(req.params.paymentId));
  });
  router.post('/charges/:paymentId/refunds', async (req, res) => {
    const refund = await ledger.refund(req.params.paymentId, parse(RefundRequest, req.body));
    res.status(refund.requests === 1 ? 201 : 200).json(refund);
  });
  router.get('/ledger', async (_req, res) => {
    res.json(await ledger.statement());
  });

  return createHttpApp({
    name: 'provider',
    log,
    access,
    routes: [router],
    readiness: {
      database: () => isDatabaseReady(database, 'charges'),
    },
  });
}
