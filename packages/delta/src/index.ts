export type { DeltaSinkOptions, Evolution, Mode } from './options.js';
export { deltaSink } from './sink/sink.js';
