import './facade.test.ts';
