import { describe, expect, it } from '@jest/globals';
import { Agent, request as send } from 'undici';
import { eventually, request, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { json, startFixture } from './stand.ts';
import type { Fixture } from './stand.ts';

function withFixtures(use: (old: Fixture, next: Fixture, folder: string) => Promise<void>) {
  return withTempDir(async (folder) => {
    const old = await startFixture('old');
    const next = await startFixture('next');
    try {
      await use(old, next, folder);
    } finally {
      await old.close();
      await next.close();
    }
  });
}

const configOf = (old: Fixture, extracted: Fixture) => ({
  upstreams: { old: old.url, extracted: extracted.url },
  monolith: 'old',
  capabilities: { pages: { legacy: 'old', extracted: 'extracted', routes: ['/pages/*'] } },
});

describe('the configuration of a running facade', () => {
  it('changes without a dropped request, and one that is wrong changes nothing', () =>
    withFixtures((old, next, folder) =>
      withSpawnedFacade({ folder, config: configOf(old, old) }, async (facade) => {
        const statuses: number[] = [];
        let going = true;
        // Half of the answers take a while: they are under way when the configuration changes.
        for (const upstream of [old, next]) {
          const { answer } = upstream;
          upstream.answer = (req, res, body) => {
            if (upstream.received.length % 2 === 0) answer(req, res, body);
            else setTimeout(() => answer(req, res, body), 20);
          };
        }
        const agent = new Agent({ connections: 8 });
        const callers = Array.from({ length: 8 }, async (_unused, caller) => {
          while (going) {
            const method = caller % 2 === 0 ? 'GET' : 'POST';
            const answer = await send(`${facade.url}/pages/1`, { method, dispatcher: agent });
            await answer.body.dump();
            statuses.push(answer.statusCode);
          }
        });
        const from = async (path: string): Promise<unknown> =>
          (await request('GET', `${facade.url}${path}`)).body;
        try {
          for (const monolith of [next, old, next]) {
            await facade.configure(configOf(monolith, old));
            const name = monolith === next ? 'next' : 'old';
            await eventually(async () => expect(await from('/')).toEqual({ from: name }));
          }
          await facade.configure(
            'upstreams: { old: ftp://x }\nmonolith: missing\ncapabilities: { Up: { routes: [x] } }\n',
          );
          await eventually(() => facade.log().includes('the changed configuration is not used'));
          for (const part of [
            'upstreams.old',
            'no upstream',
            'Up: give a lower',
            'Up.routes.0: give a path',
          ]) {
            expect(facade.log()).toContain(part);
          }
          expect(await from('/')).toEqual({ from: 'next' });
          await facade.configure(configOf(old, next));
          await eventually(async () => expect(await from('/')).toEqual({ from: 'old' }));
        } finally {
          going = false;
          await Promise.all(callers);
          await agent.close();
        }
        expect(statuses.length).toBeGreaterThan(100);
        expect(new Set(statuses)).toEqual(new Set([200]));
      }),
    ));

  it('is refused at the start with all that is wrong', () =>
    withTempDir((folder) =>
      withSpawnedFacade(
        {
          folder,
          config: 'upstreams: {}\nmonolith: a\nlimits: { bodyBytes: -1 }\n',
          unready: true,
        },
        async (facade) => {
          expect(await facade.ended).toBe(2);
          for (const part of ['monolith: there is no', 'limits.bodyBytes', 'capabilities']) {
            expect(facade.log()).toContain(part);
          }
          expect(facade.log()).toContain(`${folder}/fig.config.yaml: the configuration`);
        },
      ),
    ));

  it('names what needs a restart, and of which process, instead of saying that it is in use', () =>
    withFixtures((old, next, folder) =>
      withSpawnedFacade({ folder, config: configOf(old, next) }, async (facade) => {
        const told = (restart: object): Promise<unknown> =>
          eventually(() => facade.log().includes(`"restart":${JSON.stringify(restart)}`));
        const first = configOf(old, next);
        const moving = {
          ...first.capabilities.pages,
          databases: { legacy: 'file:a', extracted: 'file:b' },
        };
        const withPages = (pages: object): object => ({ ...first, capabilities: { pages } });
        await facade.configure(withPages(moving) as FigConfigInput);
        await told({ engine: ['capabilities.pages.databases'] });
        await facade.configure({
          ...withPages({ ...moving, contract: true, mapping: {}, ignore: [] }),
          contractFile: 'contract.json',
          limits: { headersMs: 5_000, requestMs: 5_000 },
        } as FigConfigInput);
        await told({
          engine: ['contractFile', 'capabilities.pages.mapping', 'capabilities.pages.contract'],
          facade: ['limits.headersMs'],
        });
        expect(facade.log()).toContain('some of it needs a restart');
        expect(facade.log()).not.toContain('and is in use');
        await facade.configure({ ...first, limits: { requestMs: 6_000 } });
        await told({
          engine: ['contractFile', 'capabilities.pages.databases'].concat(
            ['mapping', 'contract'].map((name) => `capabilities.pages.${name}`),
          ),
        });
        await facade.configure(first);
        await eventually(() => facade.log().includes('and is in use'));
      }),
    ));

  it('may leave it to the environment where things are', () =>
    withFixtures((old, next, folder) =>
      withSpawnedFacade(
        {
          folder,
          config:
            'upstreams: { old: "${OLD}", next: "${NEXT:-http://127.0.0.1:9}" }\nmonolith: old\ncapabilities: {}\n',
          env: { OLD: old.url },
        },
        async (facade) => {
          next.answer = (_req, res) => json(res, 500, {});
          expect((await request('GET', facade.url)).body).toEqual({ from: 'old' });
        },
      ),
    ));
});
