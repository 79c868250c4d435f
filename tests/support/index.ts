/** What tests stand on: each of these owns its resource and gives it back. */
export { eventually } from './eventually.ts';
export { keepLastLines, onFailure, seedFrom, showOnFailure } from './on-failure.ts';
export { temporaryPostgresDatabase, withPostgres } from './postgres.ts';
export { FREE_PORTS, PORT_VARIABLES } from './ports.ts';
export { built } from './built.ts';
export { withCompiledDriver } from './compiled-driver.ts';
export { inSoak } from './soak.ts';
export { withRedis, withTls } from './redis.ts';
export { CA_FILE, withHttps } from './tls/https-server.ts';
export { request } from './request.ts';
export type { Answer } from './request.ts';
export { openSystem, withSystem } from './system.ts';
export type { SystemOptions } from './system.ts';
export { withTempDir } from './temp-dir.ts';
export { setFence } from '../../chassis/index.ts';
export * from './temporary-database.ts';
