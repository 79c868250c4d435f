import './schema-changes.test.ts';
