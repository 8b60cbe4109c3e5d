/** Mode append: rows become files, whatever the table holds. */
import type { ChangeBatch } from '@eos/core';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import { StagedFiles } from '../files/staged-files.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile } from '../log/actions.js';
import type { FileActions, TransactionWriter } from './writers.js';

export function appendWriter<Row>(
  place: FilePlace,
  plan: TablePlan,
  settings: FileSettings,
): TransactionWriter<Row> {
  const files = new StagedFiles<object>(place, plan, settings);
  let adds: readonly AddFile[] = [];
  return {
    // What is no object is refused, row by row, where it is written.
    write: (batch) => files.write(batch as ChangeBatch<unknown> as ChangeBatch<object>),
    async prepare() {
      adds = await files.finish();
    },
    fileActions: async (): Promise<FileActions> => ({
      adds,
      removes: [],
      changeFiles: [],
      isBlindAppend: true,
      operation: 'WRITE',
      parameters: { mode: 'Append' },
    }),
    discard: () => files.discard(),
  };
}
