import { uploadState } from './checks.js';

/** The states of one upload, whatever keeps it: which call may follow which, of one upload. */
export interface UploadState {
  readonly isOpen: boolean;
  /** @throws EOS_STATE unless it is open, and what the store's own check throws */
  checkOpen(): void;
  /** No more is written. */
  seal(): void;
  /** @throws EOS_STATE where it is sealed */
  checkAbortable(): void;
  /** It is given up. */
  abort(): void;
}

/** @param check whether the store is still open */
export function openUpload(key: string, check: () => void): UploadState {
  let state: 'open' | 'sealed' | 'aborted' = 'open';
  const checkOpen = () => {
    check();
    if (state !== 'open') throw uploadState(key, state);
  };
  const checkAbortable = () => {
    if (state === 'sealed') throw uploadState(key, state);
  };
  return {
    get isOpen() {
      return state === 'open';
    },
    checkOpen,
    checkAbortable,
    seal() {
      checkOpen();
      state = 'sealed';
    },
    abort() {
      checkAbortable();
      state = 'aborted';
    },
  };
}
