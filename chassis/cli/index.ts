/** What a command line of ours is made of. This folder stands apart so that only command lines load commander. */
export { addCommand, parsePositive, YES } from './command.ts';
export type { CommandHelp } from './command.ts';
export { confirmed } from './confirm.ts';
export type { Intent } from './confirm.ts';
export { CommandError, EXIT } from './exit.ts';
export type { ExitCode } from './exit.ts';
export { ago, stepsText, table } from './format.ts';
export { leaveInterrupts } from './interrupt.ts';
export { createOutput, paintFor } from './output.ts';
export type { NextStep, Output, OutputOptions, Paint, Surroundings, Terminal } from './output.ts';
export { runMain, runProgram } from './run-program.ts';
export type { RunWork } from './run-program.ts';
