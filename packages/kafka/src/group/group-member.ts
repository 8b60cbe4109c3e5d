/**
 * A member of a consumer group, by the classic protocol that brokers 3.9 to 4.4 have. The group says who reads which partition, and
 * nothing else: that no two write the same one is up to the claims at the destination. Offsets that the group keeps are not looked at.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isClientError, isPassing, KafkaClientError, kindOf } from '../client/client-error.js';
import type { Cluster } from '../client/cluster.js';
import { errorName } from '../client/wire/error-codes.js';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type TopicPartitionMap,
} from '../client/wire/group-protocol.js';
import {
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  syncGroupApi,
  type JoinGroupAnswer,
} from '../client/wire/group.js';
import { assignPartitions } from './assign.js';

export interface GroupOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Without a heartbeat for so long, a member is taken for dead. */
  readonly sessionTimeoutMs: number;
  /** How long the group waits for a member to let go of its partitions. */
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** What a member was given, until `lost` is aborted. */
export interface Membership {
  readonly generation: number;
  readonly memberId: string;
  readonly isLeader: boolean;
  readonly partitions: TopicPartitionMap;
  /** Aborted when the group shares out anew, or has taken this member for dead. */
  readonly lost: AbortSignal;
}

interface Held extends Membership {
  readonly controller: AbortController;
}

const PROTOCOL = 'eos';
const LANE = 'group';
/** Between two tries to join. */
const PAUSE_MS = 100;
/** How long leaving may take: the session times out where the group does not hear of it. */
const LEAVE_MS = 1_000;
const NO_ANSWER = 'no answer';

export class GroupMember {
  #memberId = '';
  #held: Held | undefined;
  #stopHeartbeats = new AbortController();

  constructor(
    private readonly cluster: Cluster,
    private readonly options: GroupOptions,
    /** How many partitions each topic has now. */
    private readonly countPartitions: () => Promise<ReadonlyMap<string, number>>,
  ) {}

  /**
   * Asks the group what to read: whoever still belongs to the current generation keeps what it has; else joins, which waits for the
   * other members to let go, up to the rebalance timeout.
   * @throws {KafkaClientError}; what `signal` is aborted with
   */
  async join(signal: AbortSignal): Promise<Membership> {
    const held = this.#held;
    if (held !== undefined && !held.lost.aborted && (await this.#heartbeat(held)) === undefined) return held;
    this.#stopHeartbeats.abort();
    held?.controller.abort();
    this.#held = undefined;
    for (;;) {
      signal.throwIfAborted();
      const joined = await this.#tryToJoin();
      if (joined !== undefined) {
        this.#held = joined;
        this.#stopHeartbeats = new AbortController();
        void this.#beat(joined, this.#stopHeartbeats.signal);
        return joined;
      }
      await delay(PAUSE_MS, undefined, { signal });
    }
  }

  /** What was given is to be shared out anew: the next `join` asks for a new generation. */
  release(): void {
    this.#held?.controller.abort();
  }

  /** Tells the group, so that it need not wait for the session to time out. Never throws. */
  async leave(): Promise<void> {
    this.#stopHeartbeats.abort();
    this.#held?.controller.abort();
    const { groupId } = this.options;
    const memberId = this.#memberId;
    this.#memberId = '';
    if (memberId === '') return;
    const leaving = this.#coordinator().then((target) =>
      this.cluster.request(target, leaveGroupApi, { groupId, memberId }),
    );
    await Promise.race([leaving.catch(() => undefined), delay(LEAVE_MS, undefined, { ref: false })]);
  }

  /** Undefined: to be tried again. */
  async #tryToJoin(): Promise<Held | undefined> {
    try {
      const joined = await this.#joinGroup();
      return joined === undefined ? undefined : await this.#syncGroup(joined);
    } catch (error) {
      if (!isClientError(error) || error.kind !== 'unavailable' || error.error === undefined) throw error;
      this.#forgetCoordinator();
      return undefined;
    }
  }

  async #joinGroup(): Promise<JoinGroupAnswer | undefined> {
    const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.options;
    const request = {
      groupId,
      memberId: this.#memberId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocol: PROTOCOL,
      metadata: encodeSubscription(topics),
    };
    const answer = await this.cluster.request(
      await this.#coordinator(),
      joinGroupApi,
      request,
      this.#patience(),
    );
    const error = errorName(answer.error);
    if (error === undefined || error === 'MEMBER_ID_REQUIRED') this.#memberId = answer.memberId;
    if (error === undefined) return answer;
    this.#judge(error);
    return undefined;
  }

  async #syncGroup(joined: JoinGroupAnswer): Promise<Held | undefined> {
    const { memberId, generation, leaderId } = joined;
    const isLeader = leaderId === memberId;
    const assignments = isLeader ? await this.#share(joined) : [];
    const request = { groupId: this.options.groupId, memberId, generation, protocol: PROTOCOL, assignments };
    const answer = await this.cluster.request(
      await this.#coordinator(),
      syncGroupApi,
      request,
      this.#patience(),
    );
    const error = errorName(answer.error);
    if (error !== undefined) {
      this.#judge(error);
      return undefined;
    }
    const controller = new AbortController();
    const partitions = decodeAssignment(answer.assignment);
    return { generation, memberId, isLeader, partitions, lost: controller.signal, controller };
  }

  async #share({ members }: JoinGroupAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    const counts = await this.countPartitions();
    const subscribers = members.map(({ memberId, metadata }) => ({
      memberId,
      topics: decodeSubscription(metadata),
    }));
    return [...assignPartitions(subscribers, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions),
    }));
  }

  /** Both requests are answered when every member has let go. */
  #patience(): { readonly timeoutMs: number } {
    return { timeoutMs: this.options.rebalanceTimeoutMs + this.cluster.timeoutMs };
  }

  /** Returns where another try may help. @throws {KafkaClientError} where none would */
  #judge(error: string): void {
    switch (error) {
      case 'MEMBER_ID_REQUIRED':
      case 'REBALANCE_IN_PROGRESS':
        return;
      case 'UNKNOWN_MEMBER_ID':
      case 'ILLEGAL_GENERATION':
        this.#memberId = '';
        return;
    }
    this.#forgetCoordinator();
    if (isPassing(error)) return;
    const hint = error === 'INCONSISTENT_GROUP_PROTOCOL' ? ': other programs than Eos use this group id' : '';
    const message = `cannot join the group ${this.options.groupId}: ${error}${hint}`;
    throw new KafkaClientError(message, { kind: kindOf(error), error });
  }

  /** Goes on after the membership was lost, so that the group does not take the member for dead before it has let go. */
  async #beat(held: Held, stop: AbortSignal): Promise<void> {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.options;
    let answered = performance.now();
    for (;;) {
      await delay(heartbeatIntervalMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      const error = await this.#heartbeat(held);
      if (error !== NO_ANSWER) answered = performance.now();
      const isSilent = performance.now() - answered > sessionTimeoutMs;
      const isRefused = error !== undefined && error !== NO_ANSWER && !isPassing(error);
      if (isSilent || isRefused) held.controller.abort();
    }
  }

  /** Kafka's name of the error; undefined where there was none. */
  async #heartbeat({ memberId, generation }: Membership): Promise<string | undefined> {
    try {
      const { groupId } = this.options;
      const request = { groupId, memberId, generation };
      const answer = await this.cluster.request(await this.#coordinator(), heartbeatApi, request);
      const error = errorName(answer.error);
      if (error !== undefined && isPassing(error)) this.#forgetCoordinator();
      return error;
    } catch {
      this.#forgetCoordinator();
      return NO_ANSWER;
    }
  }

  async #coordinator(): Promise<{ readonly node: number; readonly lane: string }> {
    return { node: await this.cluster.coordinator('group', this.options.groupId), lane: LANE };
  }

  #forgetCoordinator(): void {
    this.cluster.forgetCoordinator('group', this.options.groupId);
  }
}
