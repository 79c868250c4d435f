import './restored-owner.test.ts';
