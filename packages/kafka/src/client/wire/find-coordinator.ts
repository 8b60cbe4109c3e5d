import type { Api } from './api.js';

export const COORDINATOR_TYPES = { group: 0, transaction: 1 } as const;

export type CoordinatorType = keyof typeof COORDINATOR_TYPES;

export interface Coordinator {
  readonly key: string;
  readonly nodeId: number;
  readonly error: number;
  readonly message: string | null;
}

export const findCoordinatorApi: Api<
  { readonly type: CoordinatorType; readonly keys: readonly string[] },
  readonly Coordinator[]
> = {
  name: 'FindCoordinator',
  key: 10,
  version: 4,
  encode(writer, { type, keys }) {
    writer.int8(COORDINATOR_TYPES[type]);
    writer.compactArray(keys, (key) => writer.compactString(key)).tags();
  },
  decode(reader) {
    reader.int32();
    return reader.compactArray(() => {
      const [key, nodeId] = [reader.compactString(), reader.int32()];
      reader.compactString();
      reader.int32();
      const [error, message] = [reader.int16(), reader.compactNullableString()];
      reader.tags();
      return { key, nodeId, error, message };
    });
  },
};
