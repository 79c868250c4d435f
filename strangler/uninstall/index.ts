/** Taking Fig out of databases again. */
export * from './uninstall.ts';
