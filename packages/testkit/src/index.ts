export { spawnWriter, type Writer, type WriterOptions } from './child/spawn-writer.js';
export type { ChangelogScript, LargeScript, WriterResult, WriterScript } from './child/writer-script.js';
export { conformance, type ConformanceOptions } from './conformance/conformance.js';
export type {
  ChildConnector,
  CommitFault,
  CommitFaults,
  Destination,
  FoundLetter,
  History,
  Outage,
  Route,
} from './conformance/destination.js';
export type { Expectation, TestRunner } from './conformance/runner-port.js';
export {
  conformanceKey,
  conformanceSchema,
  rejectedName,
  type ConformanceRow,
  type FoundRow,
} from './conformance/schema.js';
export type { SuiteOptions } from './conformance/suite.js';
export { CRASH_POINTS, withCrashPoints, type CrashPoint, type OnCrashPoint } from './crash/crash-points.js';
export {
  spawnStoppable,
  type ChildEnd,
  type StoppableChild,
  type StoppableOptions,
} from './crash/stoppable-child.js';
export { stopWhereAsked, type Stop } from './crash/stops.js';
export {
  compareRows,
  type CompareOptions,
  type RowComparison,
  type RowProblem,
} from './oracle/compare-rows.js';
export { expectedRows, type Change, type ExpectedRowsOptions } from './oracle/expected-rows.js';
export { randomNumbers } from './oracle/random-numbers.js';
export { rowText } from './oracle/row-text.js';
export type { LinkStatistics, ProxyConnection } from './proxy/connection.js';
export type { ArmedFault, Direction, FaultAction, ProxyFault } from './proxy/faults.js';
export { proxyFaults, proxyOutage, type ProxyFaultsOptions } from './proxy/proxy-faults.js';
export { tcpProxy, type ProxyStatistics, type TcpProxy, type TcpProxyOptions } from './proxy/tcp-proxy.js';
