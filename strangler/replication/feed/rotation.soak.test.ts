import './rotation.test.ts';
