import { describe, expect, it } from '@jest/globals';
import type { RequestListener, ServerResponse } from 'node:http';
import { eventually } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';

const SOCKETS = 3;
const limits = { clientSockets: SOCKETS };

async function metrics({ adminUrl }: Stand): Promise<string[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith('fig_client_sockets'));
}

/** A client that has an answer and keeps its connection. */
async function answered(port: number, address?: string): Promise<RawClient> {
  const client = new RawClient(port, address).get('/x');
  await eventually(() => expect(client.statuses).toEqual([200]));
  return client;
}

const isOpen = ({ ending }: RawClient): boolean => ending === undefined;

describe('the connections of one address', () => {
  it('that idle make room for new ones, the one that has idled longest first', () =>
    withStand({ config: { limits } }, async (stand) => {
      const { port } = stand;
      const used = await answered(port);
      const silent = new RawClient(port);
      await eventually(async () => expect(await metrics(stand)).toContain('fig_client_sockets 2'));
      const idle = await answered(port);
      used.get('/x');
      await eventually(() => expect(used.statuses).toEqual([200, 200]));
      const clients = [used, silent, idle, await answered(port)];
      await eventually(() => expect(clients.map(isOpen)).toEqual([true, false, true, true]));
      clients.push(await answered(port));
      await eventually(() => expect(clients.map(isOpen)).toEqual([true, false, false, true, true]));
      expect(await metrics(stand)).toEqual([
        'fig_client_sockets 3',
        'fig_client_sockets_closed_total{reason="idle"} 2',
        'fig_client_sockets_closed_total{reason="refused"} 0',
      ]);
      for (const client of clients) client.close();
      await eventually(async () => expect(await metrics(stand)).toContain('fig_client_sockets 0'));
    }));

  it('that are in use stay, and new ones are refused, of this address only', () => {
    const held: ServerResponse[] = [];
    const rawMonolith: RequestListener = (req, res) => {
      if (req.url === '/held') held.push(res);
      else res.end('ok');
    };
    return withStand({ config: { limits }, rawMonolith }, async (stand) => {
      const { port } = stand;
      const busy = Array.from({ length: SOCKETS }, () => new RawClient(port).get('/held'));
      await eventually(() => expect(held).toHaveLength(SOCKETS));
      const refused = new RawClient(port).get('/x');
      await eventually(() => expect(isOpen(refused)).toBe(false));
      expect(refused.text).toBe('');
      const other = await answered(port, '127.0.0.2');
      for (const res of held) res.end('late');
      await eventually(() =>
        expect(busy.map(({ statuses }) => statuses)).toEqual([[200], [200], [200]]),
      );
      expect(await metrics(stand)).toEqual([
        'fig_client_sockets 4',
        'fig_client_sockets_closed_total{reason="idle"} 0',
        'fig_client_sockets_closed_total{reason="refused"} 1',
      ]);
      for (const client of [...busy, other]) client.close();
    });
  });
});
