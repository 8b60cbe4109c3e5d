/** The store of local files in a process of its own, for the conformance suite. */
import { localObjectStore } from '@eos/object-store';

export function objectStore({ root }) {
  return localObjectStore({ root });
}
