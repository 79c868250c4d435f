import './worlds.test.ts';
