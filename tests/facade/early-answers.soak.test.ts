import './early-answers.test.ts';
