/* eslint-disable @typescript-eslint/no-extraneous-class, @typescript-eslint/no-unused-vars -- the shape of a module that is not ours */
/** What is used of parquetjs-lite 0.8, which comes without types. */
declare module 'parquetjs-lite' {
  import type { Writable } from 'node:stream';

  export interface FieldDefinition {
    readonly type: string;
    readonly optional: boolean;
    readonly compression: 'UNCOMPRESSED' | 'GZIP' | 'SNAPPY';
    readonly statistics: false;
  }

  class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>);
  }

  class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      stream: Writable,
      options: { useDataPageV2: false; rowGroupSize?: number },
    ): Promise<ParquetWriter>;
    setRowGroupSize(rows: number): void;
    setMetadata(key: string, value: string): void;
    appendRow(row: Record<string, unknown>): Promise<void>;
    close(): Promise<void>;
  }

  const parquetjs: { ParquetSchema: typeof ParquetSchema; ParquetWriter: typeof ParquetWriter };
  export default parquetjs;
}
