export interface Tile<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Space {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Squarified treemap (Bruls, Huizing, van Wijk 2000): `items` by size, the largest first; areas are in proportion. */
export function layOutTreemap<T>(items: readonly T[], sizeOf: (item: T) => number, space: Space): readonly Tile<T>[] {
  const total = items.reduce((sum, item) => sum + sizeOf(item), 0);
  if (total === 0) return [];
  const scale = (space.width * space.height) / total;
  const areaOf = (item: T) => sizeOf(item) * scale;
  const tiles: Tile<T>[] = [];
  let left = space;
  for (let next = 0; next < items.length; ) {
    const side = Math.min(left.width, left.height);
    let row = items.slice(next, next + 1);
    for (let end = next + 2; end <= items.length; end++) {
      const longer = items.slice(next, end);
      if (worstRatio(longer.map(areaOf), side) > worstRatio(row.map(areaOf), side)) break;
      row = longer;
    }
    left = placeRow(row, areaOf, left, tiles);
    next += row.length;
  }
  return tiles;
}

/** The longest side to the shortest one of a row's tiles, laid along `side`. */
function worstRatio(areas: readonly number[], side: number): number {
  const sum = areas.reduce((a, b) => a + b, 0);
  const depth = sum / side;
  return Math.max(...areas.map((area) => Math.max(area / depth ** 2, depth ** 2 / area)));
}

/** Along the shorter side; gives the space that is left. */
function placeRow<T>(row: readonly T[], areaOf: (item: T) => number, space: Space, tiles: Tile<T>[]): Space {
  const { x, y, width, height } = space;
  const isColumn = width >= height;
  const depth = row.reduce((sum, item) => sum + areaOf(item), 0) / Math.min(width, height);
  let along = 0;
  for (const item of row) {
    const length = areaOf(item) / depth;
    tiles.push(
      isColumn
        ? { item, x, y: y + along, width: depth, height: length }
        : { item, x: x + along, y, width: length, height: depth },
    );
    along += length;
  }
  return isColumn
    ? { x: x + depth, y, width: width - depth, height }
    : { x, y: y + depth, width, height: height - depth };
}
