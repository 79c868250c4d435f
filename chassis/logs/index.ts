/** Lines of logs: how they are kept, read again and shown. Apart, since it loads what prints them. */
export { jsonLines, prettyLines } from './format.ts';
export type { Format } from './format.ts';
export { LogReader, LogWriter, loggedProcesses, logFolder } from './log-folder.ts';
export { LEVELS, logLine } from './log-line.ts';
export type { LevelName, LogLine } from './log-line.ts';
