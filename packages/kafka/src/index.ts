export { registerCodec, type Codec, type Decompress } from './client/wire/compression.js';
export type { KafkaConnection } from './client/connect.js';
export type { PlatformaticConfig } from './client/platformatic/platformatic-driver.js';
export * from './encoding/index.js';
export { eosPackage } from './eos-package.js';
export * from './source/index.js';
export { kafkaSink } from './sink/kafka-sink.js';
export type { KafkaSinkOptions, PositionsTopicOptions } from './sink/options.js';
