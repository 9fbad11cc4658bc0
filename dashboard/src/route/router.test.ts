import { expect, test } from 'vitest';
import { matchPath, safePath } from './router';

test('a path fits a pattern piece by piece and gives its names, decoded', () => {
  expect(matchPath('/traces/:id', '/traces/a%2Fb')).toEqual({ id: 'a/b' });
  expect(matchPath('/traces/:id', '/traces')).toBeNull();
  expect(matchPath('/', '/')).toEqual({});
  expect(matchPath('/x/:id', '/x/%E0%A4%A')).toEqual({ id: '%E0%A4%A' });
});

test('a way back leads nowhere but into this console', () => {
  const refused = ['https://evil.example/', '//evil.example', '/\\evil.example', '\\\\evil', 'javascript:alert(1)', '/\t/evil.example', '/a\n', 'traces', '', null, '/api/v1/session', '/.//evil.example'];
  expect(refused.map((it) => safePath(it, '/'))).toEqual(refused.map(() => '/'));
  expect(safePath('/traces?failed=true&text=a%2F', '/')).toBe('/traces?failed=true&text=a%2F');
});
