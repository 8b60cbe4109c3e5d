export type { DeltaPlaceOptions, DeltaSinkOptions, Evolution, Mode } from './options.js';
export { deltaSink } from './sink/sink.js';
export { eosPackage } from './eos-package.js';
