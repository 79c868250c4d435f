import './fence.test.ts';
