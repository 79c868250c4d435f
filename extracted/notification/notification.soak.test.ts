import './notification.test.ts';
