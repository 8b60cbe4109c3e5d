/** The report for people. */
import { checksReport, gaugeCheck, problemsCheck, tableCheck, type Report } from '../report.js';
import type { S3SoakResult } from './soak.js';

export function s3ReportOf(result: S3SoakResult): Report {
  const { tables, gauges, maintenance, listing, problems } = result;
  const { compactions, vacuums, deleted, overtaken } = maintenance;
  const wrong = listing.problems.slice(0, 10).map((problem) => `\n  ${problem}`);
  return checksReport(result, [
    ...tables.map(tableCheck),
    ...gauges.map(gaugeCheck),
    {
      ok: compactions > 0 && vacuums > 0,
      line: `${compactions} compactions, ${vacuums} vacuums that deleted ${deleted} files, ${overtaken} were overtaken or found the server away`,
    },
    {
      ok: listing.looks > 0 && listing.problems.length === 0,
      line: `${listing.looks} listings, ${listing.problems.length} of them wrong${wrong.join('')}`,
    },
    problemsCheck(problems),
  ]);
}
