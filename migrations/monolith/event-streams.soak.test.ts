import './event-streams.test.ts';
