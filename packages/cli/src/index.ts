/** For pipelines that are written in TypeScript or JavaScript: everything else is the command `eos`. */
import type { PipelineOptions } from '@eos/core';

/**
 * Gives the options of a pipeline their types; the default export of a module that `eos run` is given. The options, not
 * `pipeline(options)`: the command makes the pipeline itself, and looks at its source and sinks.
 * @example
 * export default definePipeline({ id: 'visits', source: ndjsonSource({ path, schema }), sinks: { warehouse } });
 */
export function definePipeline<In, Row = In>(options: PipelineOptions<In, Row>): PipelineOptions<In, Row> {
  return options;
}
