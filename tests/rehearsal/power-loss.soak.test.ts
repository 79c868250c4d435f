import './power-loss.test.ts';
