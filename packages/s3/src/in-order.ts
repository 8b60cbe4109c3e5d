/** Results in the order of their inputs, with `atOnce` calls under way at a time. */
export async function* inOrder<Input, Output>(
  inputs: Iterable<Input>,
  atOnce: number,
  call: (input: Input) => Promise<Output>,
): AsyncGenerator<Output> {
  const underWay: Promise<Output>[] = [];
  const iterator = inputs[Symbol.iterator]();
  const start = () => {
    const next = iterator.next();
    if (next.done === true) return;
    const result = call(next.value);
    // One that fails is reported when its turn comes.
    result.catch(() => undefined);
    underWay.push(result);
  };
  for (let started = 0; started < atOnce; started++) start();
  for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) {
    const result = await first;
    start();
    yield result;
  }
}
