import './untold.test.ts';
