import { afterAll, beforeAll } from '@jest/globals';
import { createResources, inventoryTarget, monolithTarget } from '../../contract-check/index.ts';

/** A monolith and an inventory service that all tests of a file ask; their base URLs are there once one runs. */
export function bothTargets() {
  const resources = createResources();
  const urls = { monolith: '', inventory: '' };
  beforeAll(async () => {
    urls.monolith = (await monolithTarget(resources)).baseUrl;
    urls.inventory = (await inventoryTarget(resources)).baseUrl;
  });
  afterAll(() => resources.close());
  return { resources, urls };
}
