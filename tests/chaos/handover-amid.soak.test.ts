import './handover-amid.test.ts';
