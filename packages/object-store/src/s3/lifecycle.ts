/** The rules of a bucket by which the service aborts uploads that nobody has completed. */
import { GetBucketLifecycleConfigurationCommand, type LifecycleRule } from '@aws-sdk/client-s3';
import { EosError } from '@eos/core';
import { nameOf, readError, statusOf } from './answers.js';
import type { Bucket } from './options.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Services that have no such rules, and so no such request. */
const NONE: ReadonlySet<string> = new Set([
  'NoSuchLifecycleConfiguration',
  'NotImplemented',
  'MethodNotAllowed',
]);

/** See `uploadLifetime` of the port. Takes the grant `s3:GetLifecycleConfiguration`. */
export async function uploadLifetime({ client, bucket, prefix }: Bucket, selected: string): Promise<number> {
  const rules = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })).then(
    (answer) => answer.Rules ?? [],
    (error: unknown) => {
      if (NONE.has(nameOf(error)) || statusOf(error) === 501) return [];
      if (statusOf(error) === 403) throw denied(bucket, error);
      throw readError(error);
    },
  );
  return shortestLifetime(rules, prefix + selected);
}

function denied(bucket: string, cause: unknown): EosError {
  const message = `the bucket ${bucket} does not let this client see whether a rule aborts uploads: grant s3:GetLifecycleConfiguration`;
  return new EosError('EOS_PERMISSION', message, { cause });
}

/** The rule that aborts first. Filters by tag or size do not spare an upload, which has neither yet. */
function shortestLifetime(rules: readonly LifecycleRule[], selected: string): number {
  let shortest = Infinity;
  for (const rule of rules) {
    const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
    if (rule.Status !== 'Enabled' || days === undefined) continue;
    const ruled = prefixOf(rule);
    if (ruled.startsWith(selected) || selected.startsWith(ruled))
      shortest = Math.min(shortest, days * DAY_MS);
  }
  return shortest;
}

/** Older rules have it beside the filter. */
function prefixOf({ Filter: filter, ...rule }: LifecycleRule): string {
  if (filter !== undefined) return filter.Prefix ?? filter.And?.Prefix ?? '';
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what older rules of a bucket have
  return rule.Prefix ?? '';
}
