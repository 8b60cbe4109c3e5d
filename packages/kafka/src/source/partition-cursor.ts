import type { TopicPlace, LogMark } from './topic-identity.js';

/** One partition that is being read: how far it was fetched. */
export class PartitionCursor {
  /** Broker that leads the partition; -1: to be found. */
  node = -1;
  /** Whether all there was has been fetched: asked for then with a request that waits. */
  isCaughtUp = false;
  /** Whether a request for it is under way. */
  isAsked = false;
  /** Bytes that were fetched and not yet read. */
  queuedBytes = 0;
  /** When it was served last, as a count: those that waited longest come first in a request. */
  served = 0;
  /** Leader epoch of the last batch that was fetched; -1: not known. */
  leaderEpoch: number;

  constructor(
    readonly place: TopicPlace,
    readonly partition: number,
    /** `<topic>/<number>` */
    readonly name: string,
    /** Where to fetch next. */
    public next: bigint,
    mark: LogMark,
    /** Reading ends here; undefined: never. */
    readonly end: bigint | undefined,
    /** Whether nothing was committed of it: where it starts may then move with the start of the log. */
    readonly isFresh: boolean,
  ) {
    this.leaderEpoch = mark.leaderEpoch;
  }

  /** Whether all that is to be read was fetched. */
  get isDone(): boolean {
    return this.end !== undefined && this.next >= this.end;
  }
}
