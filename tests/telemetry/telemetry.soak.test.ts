import './telemetry.test.ts';
