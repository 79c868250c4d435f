import './chunks.test.ts';
