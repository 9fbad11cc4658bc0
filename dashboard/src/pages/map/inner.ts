// How the members of an open group stand inside of it: a grid, by rows. Pure.
import { CARD_HEIGHT, CARD_WIDTH } from './model';

const GAP = 16;
const PAD = 16;
const HEAD = 36;

const columnsFor = (members: number): number => (members <= 4 ? 1 : members <= 14 ? 2 : 3);

/** Size of the box that holds so many. */
export function openSize(members: number): { width: number; height: number } {
  const columns = columnsFor(members);
  const rows = Math.ceil(members / columns);
  return {
    width: PAD * 2 + columns * CARD_WIDTH + (columns - 1) * GAP,
    height: HEAD + PAD + rows * CARD_HEIGHT + (rows - 1) * GAP,
  };
}

/** Centre of each member, from the centre of the box. */
export function innerPlaces(members: number): { x: number; y: number }[] {
  const { width, height } = openSize(members);
  const columns = columnsFor(members);
  return Array.from({ length: members }, (_, at) => ({
    x: -width / 2 + PAD + CARD_WIDTH / 2 + (at % columns) * (CARD_WIDTH + GAP),
    y: -height / 2 + HEAD + CARD_HEIGHT / 2 + Math.floor(at / columns) * (CARD_HEIGHT + GAP),
  }));
}
