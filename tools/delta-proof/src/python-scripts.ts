/** The readers and writers that are not ours, in Python. Every one shows its rows by way of Arrow, with the same few lines. */

const SHOW = `
import struct
import pyarrow as pa
import pyarrow.compute as pc
def shown(type, value):
    if value is None: return None
    if pa.types.is_boolean(type): return 'true' if value else 'false'
    if pa.types.is_floating(type): return 'nan' if value != value else struct.pack('>d', value).hex()
    if pa.types.is_decimal(type): return format(value, 'f')
    if pa.types.is_date(type): return value.isoformat()
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_fixed_size_binary(type): return value.hex()
    if pa.types.is_struct(type):
        fields = [(field.name, shown(field.type, value[field.name])) for field in type]
        return { name: text for name, text in sorted(fields) if text is not None }
    if pa.types.is_map(type):
        return sorted([shown(type.key_type, key), shown(type.item_type, item)] for key, item in value)
    if pa.types.is_list(type) or pa.types.is_large_list(type): return [shown(type.value_type, item) for item in value]
    return str(value)
def plain(column):
    if str(column.type) in ('string_view', 'binary_view'): return column.cast(pa.string() if 'string' in str(column.type) else pa.binary())
    if pa.types.is_timestamp(column.type): return pc.cast(column, pa.timestamp('us', column.type.tz)).cast(pa.int64())
    return column
def rows_of(table):
    columns = { name: plain(table[name]) for name in sorted(table.column_names) }
    lists = { name: (column.type, column.to_pylist()) for name, column in columns.items() }
    return [{ name: shown(type, values[at]) for name, (type, values) in lists.items() if values[at] is not None }
        for at in range(table.num_rows)]
`;

/** `[{ path, version? }]` → rows of each. */
export const READ_WITH_DELTA_RS = `${SHOW}
from deltalake import DeltaTable, QueryBuilder
def read(task):
    table = DeltaTable(task['path'], version=task.get('version'))
    return rows_of(pa.table(QueryBuilder().register('t', table).execute('select * from t').read_all()))
def main(tasks): return [read(task) for task in tasks]`;

export const READ_WITH_DUCKDB = `${SHOW}
import os
import duckdb, duckdb_extension_delta
def main(tasks):
    folder = os.path.join(list(duckdb_extension_delta.__path__)[0], 'extensions')
    extension = next(os.path.join(found, name) for found, _, names in os.walk(folder) for name in names if name.endswith('.duckdb_extension'))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    def read(task):
        version = '' if task.get('version') is None else f", version = {task['version']}"
        return rows_of(connection.execute(f"select * from delta_scan('{task['path']}'{version})").to_arrow_table())
    return [read(task) for task in tasks]`;

const SPARK = `
import os, tempfile
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
def start(jars, timestamps='TIMESTAMP_MICROS'):
    return (SparkSession.builder.master('local[2]').appName('proof')
        .config('spark.jars', ','.join(jars))
        .config('spark.sql.extensions', 'io.delta.sql.DeltaSparkSessionExtension')
        .config('spark.sql.catalog.spark_catalog', 'org.apache.spark.sql.delta.catalog.DeltaCatalog')
        .config('spark.databricks.delta.snapshotPartitions', '1')
        .config('spark.sql.shuffle.partitions', '2')
        .config('spark.sql.sources.parallelPartitionDiscovery.parallelism', '2')
        .config('spark.sql.session.timeZone', 'UTC')
        .config('spark.sql.parquet.outputTimestampType', timestamps)
        .config('spark.sql.parquet.datetimeRebaseModeInWrite', 'CORRECTED')
        .config('spark.driver.memory', '1g').config('spark.driver.bindAddress', '127.0.0.1').config('spark.driver.host', '127.0.0.1')
        .config('spark.ui.enabled', 'false').getOrCreate())
`;

export const READ_WITH_SPARK = `${SHOW}${SPARK}
def main(input):
    spark = start(input['jars'])
    def read(task):
        reader = spark.read.format('delta')
        if task.get('version') is not None: reader = reader.option('versionAsOf', task['version'])
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, 'rows')
            reader.load(task['path']).coalesce(1).write.parquet(target)
            return rows_of(pq.read_table(target))
    return [read(task) for task in input['tasks']]`;

/** Statements of SQL, on a Spark that writes timestamps as it does by default, with \`@table\` for the path. */
export const RUN_ON_SPARK = `${SPARK}
def main(input):
    spark = start(input['jars'], 'INT96')
    for statement in input['statements']: spark.sql(statement.replace('@table', f"delta.\`{input['path']}\`")).collect()`;

/** Ten rows a turn, of which it updates and deletes some; small files merged every second turn. What loses a race is tried again. */
export const WRITE_BESIDE_US_ON_SPARK = `${SPARK}
def main(input):
    spark = start(input['jars'])
    table = f"delta.\`{input['path']}\`"
    lost = 0
    def again(statement):
        nonlocal lost
        for attempt in range(100):
            try: return spark.sql(statement).collect()
            except Exception as error:
                if 'concurrent' not in str(error).lower(): raise
                lost += 1
        raise Exception('lost a hundred races')
    first, count = input['first'], input['rows']
    for turn in range(input['turns']):
        start_id = first + turn * count
        again(f"INSERT INTO {table} SELECT id, 'theirs' FROM range({start_id}, {start_id + count})")
        again(f"UPDATE {table} SET name = 'updated' WHERE id >= {start_id} AND id % 5 = 0")
        again(f"DELETE FROM {table} WHERE id >= {start_id} AND id % 7 = 0")
        if turn % 2 == 1: again(f"OPTIMIZE {table}")
    return lost`;

const FOLD = `
import json
def folded(table):
    types = table['_change_type'].to_pylist()
    rows = rows_of(table.select([name for name in table.column_names if not name.startswith('_c')]))
    counts = {}
    for type, row in zip(types, rows):
        text = json.dumps(row, sort_keys=True)
        counts[text] = counts.get(text, 0) + (1 if type in ('insert', 'update_postimage') else -1)
    return [json.loads(text) for text, count in counts.items() for _ in range(abs(count))]
`;

export const FEED_WITH_DELTA_RS = `${SHOW}${FOLD}
from deltalake import DeltaTable
def main(path): return folded(pa.table(DeltaTable(path).load_cdf(starting_version=0)))`;

export const FEED_WITH_SPARK = `${SHOW}${FOLD}${SPARK}
def main(input):
    spark = start(input['jars'])
    feed = spark.read.format('delta').option('readChangeFeed', 'true').option('startingVersion', 0).load(input['path'])
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, 'rows')
        feed.coalesce(1).write.parquet(target)
        return folded(pq.read_table(target))`;

/** Rows of \`{ id, name }\`, appended. */
export const APPEND_WITH_DELTA_RS = `
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
def main(input):
    table = pa.table({ 'id': pa.array(input['ids'], pa.int64()), 'name': pa.array(['theirs'] * len(input['ids'])) })
    write_deltalake(input['path'], table, mode='append')
    if input['checkpoint']: DeltaTable(input['path']).create_checkpoint()`;

export const MAKE_NESTED_WITH_DELTA_RS = `
import pyarrow as pa
from deltalake import write_deltalake
def main(path):
    inner = pa.struct([('x', pa.int32()), ('y', pa.list_(pa.string()))])
    schema = pa.schema([('id', pa.int64()), ('pair', inner), ('tags', pa.list_(pa.int64())), ('pairs', pa.list_(inner)),
        ('names', pa.map_(pa.string(), pa.float64()))])
    rows = [{ 'id': 1, 'pair': { 'x': 1, 'y': ['a', None] }, 'tags': [1, None], 'pairs': [], 'names': [('k', 1.5)] }]
    write_deltalake(path, pa.Table.from_pylist(rows, schema=schema))`;

/** What the table says of the positions of a pipeline. */
export const TRANSACTIONS_WITH_DELTA_RS = `
from deltalake import DeltaTable
def main(input):
    table = DeltaTable(input['path'])
    return { field: str(table.transaction_version(input['prefix'] + field)) for field in ['epoch', 'offset', 'owner', 'txId'] }`;
