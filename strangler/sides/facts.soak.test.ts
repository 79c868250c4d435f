import './facts.test.ts';
