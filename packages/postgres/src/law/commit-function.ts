import { FENCED, REGRESSED, REPLACED } from '../connection/error-map.js';

/** How many positions of a partition are kept, the newest included. */
export const KEPT_EPOCHS = 8;

/** Changing what it does needs another name: processes of both versions may run side by side. */
export const COMMIT_NAME = 'commit_v2';

/**
 * The compare-and-set of a commit (law 2). It *raises*, so that a COMMIT in the same flush is skipped; after a statement
 * that merely touches no row it would be carried out. In READ COMMITTED each statement of the function sees what was
 * committed before that statement began, so the epoch is read after the lock of its claim is held. Any epoch is judged
 * before every owner, and a claim that is gone is a regression (law 5).
 *
 * Last it looks whether each table that was written to is still the one that was claimed: the rows of a transaction went in by
 * name, and from then on they hold the table, so that the name cannot change hands before the COMMIT.
 *
 * The oldest position is deleted by its exact epoch: a range would pass over every dead entry that an old snapshot keeps.
 */
export const COMMIT_FUNCTION = `
CREATE OR REPLACE FUNCTION eos.${COMMIT_NAME}(a_pipeline text, a_sink text, a_owner bigint, a_tx_id bigint, a_moves jsonb,
  a_tables text[], a_objects oid[])
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  move record;
  holder bigint;
  stored bigint;
  lost text;
  replaced text;
BEGIN
  FOR move IN
    SELECT * FROM pg_catalog.jsonb_to_recordset(a_moves) AS m(
      partition text, epoch bigint, next_offset bigint, watermark bigint, read_to bigint, plan bigint, source jsonb,
      format int)
    ORDER BY m.partition COLLATE "C"
  LOOP
    SELECT c.owner INTO holder FROM eos.claims c
      WHERE c.pipeline = a_pipeline AND c.sink = a_sink AND c.partition = move.partition FOR UPDATE;
    SELECT p.epoch INTO stored FROM eos.positions p
      WHERE p.pipeline = a_pipeline AND p.sink = a_sink AND p.partition = move.partition
      ORDER BY p.epoch DESC LIMIT 1;
    stored := CASE WHEN holder IS NOT NULL THEN coalesce(stored, 0) END;
    IF stored IS NULL OR stored < move.epoch THEN
      RAISE EXCEPTION USING ERRCODE = '${REGRESSED}', MESSAGE = 'the stored position went back', DETAIL =
        pg_catalog.json_build_object('partition', move.partition, 'expected', move.epoch::text, 'found', stored::text);
    END IF;
    IF stored > move.epoch OR holder IS DISTINCT FROM a_owner THEN
      lost := coalesce(lost, move.partition);
    END IF;
    CONTINUE WHEN lost IS NOT NULL;
    INSERT INTO eos.positions (pipeline, sink, partition, epoch, next_offset, tx_id, owner, watermark, read_to, plan, source, format)
      VALUES (a_pipeline, a_sink, move.partition, move.epoch + 1, move.next_offset, a_tx_id, a_owner, move.watermark,
        move.read_to, move.plan, move.source, move.format);
    DELETE FROM eos.positions p
      WHERE p.pipeline = a_pipeline AND p.sink = a_sink AND p.partition = move.partition
        AND p.epoch = move.epoch + 1 - ${KEPT_EPOCHS};
  END LOOP;
  IF lost IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '${FENCED}', MESSAGE = 'another session claimed the partition', DETAIL =
      pg_catalog.json_build_object('partition', lost);
  END IF;
  SELECT t.name INTO replaced FROM ROWS FROM (pg_catalog.unnest(a_tables), pg_catalog.unnest(a_objects)) AS t(name, object)
    WHERE pg_catalog.to_regclass(t.name) IS DISTINCT FROM t.object LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '${REPLACED}', MESSAGE = 'the table is another one', DETAIL =
      pg_catalog.json_build_object('table', replaced);
  END IF;
END $function$`;
