import { runMain } from '../../chassis/cli/index.ts';
import { keepFilesPrivate } from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { runShop } from './run.ts';

keepFilesPrivate();
await runMain((words) => runShop(words, monolithMigrations));
