export { localObjectStore, type LocalObjectStoreOptions } from './local/local-store.js';
export { memoryBucket, memoryObjectStore, type MemoryBucket } from './memory-store.js';
export type {
  ByteRange,
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
