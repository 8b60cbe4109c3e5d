/** Spark with Delta, by its Python package: the reference of what a Delta table is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ServiceError } from '../errors.js';
import { findJava } from '../kafka/distribution.js';
import { cached, cachedFolder } from '../process/cache.js';
import { fetchWith, findProgram } from '../process/program.js';
import { missingForPython } from './packages.js';

/** Of the same release as Spark's package in `packages.ts`. */
const DELTA = '4.0.1';
const JARS = [
  `io.delta:delta-spark_2.13:${DELTA}`,
  `io.delta:delta-storage:${DELTA}`,
  'org.antlr:antlr4-runtime:4.13.1',
] as const;
const KEY = `delta-spark-${DELTA}`;

/** What this machine lacks to run Spark with Delta; undefined where it lacks nothing. Looks only at files. */
export function missingForSpark(): string | undefined {
  const missing = missingForPython();
  if (missing !== undefined) return missing;
  if (findJava() === undefined) return 'java (17 or later) is not on the search path';
  if (existsSync(cachedFolder(KEY)) || findProgram('mvn') !== undefined) return undefined;
  return 'mvn (Maven) is not on the search path, and Delta was not fetched before';
}

/** Fetches Delta's jars with Maven, unless they are in the cache; returns their paths, for `spark.jars`. */
export async function fetchDeltaJars(): Promise<readonly string[]> {
  const folder = await cached(KEY, async (target) => {
    const maven = findProgram('mvn');
    if (maven === undefined)
      throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'mvn (Maven) is not on the search path');
    // A version that can copy a single artifact: Maven's own default for this plugin may be older.
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
    for (const jar of JARS)
      await fetchWith(maven, ['-q', '-B', goal, `-Dartifact=${jar}`, `-DoutputDirectory=${target}`]);
  });
  return JARS.map((jar) => {
    const [, name = '', version = ''] = jar.split(':');
    return join(folder, `${name}-${version}.jar`);
  });
}
