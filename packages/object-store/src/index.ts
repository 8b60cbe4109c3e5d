export { localObjectStore, type LocalObjectStoreOptions } from './local/local-store.js';
export { memoryBucket, memoryObjectStore, type MemoryBucket } from './memory-store.js';
export { probeObjectStore, type ProbeOptions } from './probe.js';
export type {
  ByteRange,
  CompleteOptions,
  CompleteResult,
  ListOptions,
  ObjectEntry,
  ObjectStore,
  PutCondition,
  PutOptions,
  PutResult,
  SealedUpload,
  StoredObject,
  Upload,
  UploadedPart,
  UploadEntry,
} from './object-store.js';
