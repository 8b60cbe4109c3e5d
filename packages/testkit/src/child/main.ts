/** The child process of `spawnWriter`: opens the author's connector, runs the script, and stops where it was asked to. */
import { isEosError, messageOf, type SinkConnector } from '@eos/core';
import type { ConformanceRow } from '../conformance/schema.js';
import { withCrashPoints } from '../crash/crash-points.js';
import { stopWhereAsked } from '../crash/stops.js';
import { runScript } from './writer-script.js';
import { parseRequest } from './writer-request.js';

// Without its parent nobody would end this process.
const orphaned = () => process.exit(1);
process.on('disconnect', orphaned);

try {
  const { module, options, script } = parseRequest(process.argv[2] ?? '');
  const connector = await connectorOf(module, options);
  const result = await runScript(withCrashPoints(connector, stopWhereAsked()), script);
  await tell({ eos: 'result', result });
} catch (error) {
  const code = isEosError(error) ? error.code : 'no EosError';
  await tell({ eos: 'failure', message: `${code}: ${messageOf(error)}` });
  console.error(error);
  process.exitCode = 1;
} finally {
  process.off('disconnect', orphaned);
  if (process.connected) process.disconnect();
}

function tell(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });
}

async function connectorOf(module: string, options: unknown): Promise<SinkConnector<ConformanceRow>> {
  const exported: unknown = await import(module);
  if (!isConnectorModule(exported))
    throw new TypeError(`${module} must export a function connector(options)`);
  return await exported.connector(options);
}

type Connect = (options: unknown) => SinkConnector<ConformanceRow> | Promise<SinkConnector<ConformanceRow>>;

/** What the function returns is for the author to get right, as ChildConnector says: the first call of the script shows it. */
function isConnectorModule(exported: unknown): exported is { readonly connector: Connect } {
  return (
    typeof exported === 'object' &&
    exported !== null &&
    'connector' in exported &&
    typeof exported.connector === 'function'
  );
}
