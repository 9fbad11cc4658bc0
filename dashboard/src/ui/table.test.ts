import { expect, test } from 'vitest';
import { leastWidth } from './table';

test('the least width of a table is that of its columns with gaps and padding', () => {
  expect(leastWidth(['120px', 'minmax(160px, 2fr)', '1fr'])).toBe(120 + 160 + 80 + 2 * 16 + 2 * 16);
});
