import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, startRedis } from '../../system/index.ts';
import type { PrivateRedis } from '../../system/index.ts';
import { withTempDir } from './temp-dir.ts';
import { CA_FILE } from './tls/https-server.ts';

/**
 * Gives `use` a Redis of its own and stops it afterwards.
 * @param password made up when absent
 */
export function withRedis<T>(
  use: (redis: PrivateRedis) => Promise<T>,
  password?: string,
): Promise<T> {
  return withTempDir(async (directory) => {
    const redis = await startRedis(directory, password);
    try {
      return await use(redis);
    } finally {
      await redis.stop();
    }
  });
}

/** Has a Redis listen on a port with TLS, too, by a certificate of `CA_FILE`. @returns its URL there */
export async function withTls({ url }: PrivateRedis): Promise<string> {
  const folder = dirname(CA_FILE);
  const port = String(await freePort());
  const settings = {
    'tls-cert-file': join(folder, 'server.pem'),
    'tls-key-file': join(folder, 'server-key.pem'),
    'tls-ca-cert-file': CA_FILE,
    'tls-auth-clients': 'no',
    'tls-port': port,
  };
  const admin = new Redis(url);
  try {
    await admin.call('CONFIG', 'SET', ...Object.entries(settings).flat());
  } finally {
    admin.disconnect();
  }
  return Object.assign(new URL(url.replace(/^redis:/, 'rediss:')), { port }).href;
}
