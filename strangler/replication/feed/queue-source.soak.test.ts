import './queue-source.test.ts';
