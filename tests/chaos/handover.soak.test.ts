import './handover.test.ts';
