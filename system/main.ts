import { runSupervisor } from '../supervisor/index.ts';
import { readyText } from './ready-text.ts';
import { startSystem } from './start-system.ts';

await runSupervisor({
  start: (given) => startSystem({ ports: 'default', ...given }),
  readyText,
});
