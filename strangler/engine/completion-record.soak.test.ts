import './completion-record.test.ts';
