import './million.test.ts';
