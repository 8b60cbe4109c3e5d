/** How rows that are read from files get into other files: as they are stored. */
import type { TablePlan } from './table-plan.js';
import { tablePlan } from './table-plan.js';
import { parseTableSchema, type DeltaField, type DeltaType } from '../schema/delta-schema.js';
import type { Metadata } from '../log/actions.js';

/**
 * The plan of files with all columns of the table. What rows have as JSON or as a UUID is a text in files, and stays the text that it is.
 */
export function storedPlan(metadata: Metadata): TablePlan {
  return tablePlan(metadata, parseTableSchema(metadata.schemaString).fields.map(plain));
}

function plain(field: DeltaField): DeltaField {
  return { ...field, type: plainType(field.type), metadata: {} };
}

function plainType(type: DeltaType): DeltaType {
  switch (type.kind) {
    case 'struct':
      return { ...type, fields: type.fields.map(plain) };
    case 'array':
      return { ...type, element: plainType(type.element) };
    case 'map':
      return { ...type, key: plainType(type.key), value: plainType(type.value) };
    default:
      return type;
  }
}
