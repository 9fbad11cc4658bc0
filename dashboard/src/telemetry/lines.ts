// Lines of logs, and how they are shown. Pure.
//
// Refuses to interpret: a message is text, whatever it looks like; control characters are made
// visible instead of obeyed.

import type { LogLine } from '@/api/types';

/** The levels, least first. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Letters of the fields that are shown on the line itself. */
const PREVIEW_MAX = 400;

/** The fields of a line as names and texts. */
export function fieldsOf(line: LogLine): [string, string][] {
  const fields = line.fields;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return [];
  return Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

/** The fields on one line, `name=value`, what says where it was logged last. */
export function preview(line: LogLine): [string, string][] {
  const fields = fieldsOf(line);
  // The module is the same in every line of it: it is what one needs least.
  fields.sort(([a], [b]) => Number(a === 'target') - Number(b === 'target'));
  let left = PREVIEW_MAX;
  const shown: [string, string][] = [];
  for (const [name, value] of fields) {
    if (left <= 0) break;
    shown.push([name, value.length > left ? `${value.slice(0, left)}…` : value]);
    left -= name.length + value.length;
  }
  return shown;
}

/** Writes out what has no letter of its own: control characters, and what turns the direction of text or hides in it. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (it) => {
    const code = it.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** A piece of a text, and whether it is what was looked for. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** Cuts a text where words that were looked for begin and end, whatever their case. */
export function pieces(text: string, words: string[]): Piece[] {
  const wanted = words.filter((it) => it !== '').map(escaped);
  if (wanted.length === 0) return [{ text, hit: false }];
  const cut = text.split(new RegExp(`(${wanted.join('|')})`, 'giu'));
  // Every second piece is what the brackets caught.
  return cut
    .map((piece, at) => ({ text: piece, hit: at % 2 === 1 }))
    .filter((it) => it.text !== '');
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The words of a search, as the runtime cuts them: letters and digits in a row. */
export function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}
