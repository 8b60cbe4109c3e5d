import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ServiceError } from '../errors.js';
import { cached, cachedFolder } from '../process/cache.js';
import { fetchWith, findProgram } from '../process/program.js';

/** The version that is started unless another one is asked for. */
export const defaultVersion = process.env.EOS_TEST_KAFKA_VERSION ?? '4.3.1';

/** A file that this package brings along for Kafka. */
export const assetFile = (name: string): string =>
  fileURLToPath(new URL(`../../kafka/${name}`, import.meta.url));

const cacheKey = (version: string): string => `kafka-${version}`;

/** Kafka 3 logs through another library than its successors. */
export const isVersion3 = (version: string): boolean => version.startsWith('3.');

/** The Java to run, that of `JAVA_HOME` first. */
export function findJava(): string | undefined {
  const home = process.env.JAVA_HOME;
  const own =
    home === undefined ? undefined : join(home, 'bin', process.platform === 'win32' ? 'java.exe' : 'java');
  return own !== undefined && existsSync(own) ? own : findProgram('java');
}

/** What this machine lacks to start Kafka, or undefined. */
export function missingForKafka(version = defaultVersion): string | undefined {
  if (findJava() === undefined) return 'java (17 or later) is not on the search path';
  if (existsSync(cachedFolder(cacheKey(version))) || findProgram('mvn') !== undefined) return undefined;
  return 'mvn (Maven) is not on the search path, and Kafka was not fetched before';
}

/** Fetches the broker's jars with Maven, unless they are in the cache; returns their folder. */
export function fetchKafka(version: string): Promise<string> {
  return cached(cacheKey(version), async (folder) => {
    const maven = findProgram('mvn');
    if (maven === undefined)
      throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'mvn (Maven) is not on the search path');
    const logging = isVersion3(version)
      ? { group: 'org.slf4j', artifact: 'slf4j-reload4j', version: '1.7.36' }
      : { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: '2.25.1' };
    await copyFile(assetFile('pom.xml'), join(folder, 'pom.xml'));
    const properties = Object.entries(logging).map(([name, value]) => `-Dlogging.${name}=${value}`);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    await fetchWith(maven, ['-q', '-B', ...goal, `-Dkafka.version=${version}`, ...properties], {
      cwd: folder,
    });
  });
}
