import './cli.test.ts';
