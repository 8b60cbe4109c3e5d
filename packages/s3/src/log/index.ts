/** The log of a table: its entries, its state, and how both are read and written. */
export { openLog, type OpenLog } from './open-log.js';
export { readEntry, readLog, type ReadEntry, type TablePlace } from './read.js';
export { readState } from './read-state.js';
export { liveFiles, type LiveFile } from './live-files.js';
