import './newer.test.ts';
