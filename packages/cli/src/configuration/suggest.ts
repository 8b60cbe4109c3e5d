/** What somebody may have meant. */

/** `: did you mean "table"?`, or nothing where no name is near. */
export function didYouMean(text: string, names: Iterable<string>): string {
  const found = nearest(text, names);
  return found === undefined ? '' : `: did you mean ${JSON.stringify(found)}?`;
}

/** The name that differs by the fewest letters, and by no more than a third of them. */
export function nearest(text: string, names: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(text.toLowerCase(), name.toLowerCase());
    const most = Math.max(1, Math.floor(Math.max(text.length, name.length) / 3));
    if (distance <= most && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name;
}

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
function editDistance(left: string, right: string): number {
  // Longer texts are no names.
  if (left.length > 100 || right.length > 100) return Infinity;
  let older: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(older, column - 2) + 1 : Infinity,
        ),
      );
    }
    older = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
