/** For the simulation of the core and for nothing else: it may change with any version. */
export { pipelineIn } from './pipeline.js';
export type { Environment } from './runner/environment.js';
