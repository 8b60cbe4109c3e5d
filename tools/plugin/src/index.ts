export { default as sinkGenerator, type SinkGeneratorOptions } from './sink/generator.js';
