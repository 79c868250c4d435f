import './cascades.test.ts';
