/** What is used of parquetjs-lite 0.8, which comes without types. */
declare module 'parquetjs-lite' {
  import type { Writable } from 'node:stream';

  export interface FieldDefinition {
    readonly type: string;
    readonly optional: boolean;
    readonly compression: 'UNCOMPRESSED' | 'GZIP' | 'SNAPPY';
    readonly statistics: false;
  }

  export interface Schema {
    readonly fields: object;
  }

  export interface Writer {
    setRowGroupSize(rows: number): void;
    setMetadata(key: string, value: string): void;
    appendRow(row: Record<string, unknown>): Promise<void>;
    close(): Promise<void>;
  }

  const parquetjs: {
    readonly ParquetSchema: new (fields: Record<string, FieldDefinition>) => Schema;
    readonly ParquetWriter: {
      openStream(schema: Schema, stream: Writable, options: { useDataPageV2: false }): Promise<Writer>;
    };
  };
  export default parquetjs;
}
