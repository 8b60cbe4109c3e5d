export type { ChildStore, ObjectStoreConformanceOptions, StoreHarness } from './harness.js';
export { objectStoreConformance } from './object-store-conformance.js';
