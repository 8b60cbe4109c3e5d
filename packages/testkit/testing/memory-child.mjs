/** A connector for tests of the child process itself: what it writes is gone with it. */
import { memorySink, memoryStore } from '@eos/core';
import { conformanceKey } from '@eos/testkit';

export function connector({ mode, failure }) {
  if (failure !== undefined) throw new Error(failure);
  return memorySink(memoryStore({ mode, key: conformanceKey }));
}
