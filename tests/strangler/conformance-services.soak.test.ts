import './conformance-services.test.ts';
