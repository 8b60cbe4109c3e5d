/** The brokers of one cluster: who leads what, who coordinates what, and the connections to them. */
import { connectionError, isClientError, KafkaClientError, kindOf } from './client-error.js';
import type { BrokerAddress, BrokerLink, Driver } from './driver.js';
import { LinkPool } from './link-pool.js';
import { retried, type Retrying } from './retry.js';
import type { Api } from './wire/api.js';
import { errorName } from './wire/error-codes.js';
import { findCoordinatorApi, type CoordinatorType } from './wire/find-coordinator.js';
import { metadataApi, type MetadataAnswer, type TopicMetadata } from './wire/metadata.js';
import { Reader } from './wire/reader.js';
import { Writer } from './wire/writer.js';

/** Where a request goes: `lane` names the connection, requests on one are answered in their order. Default `main`. */
export interface Target {
  readonly node: number;
  readonly lane?: string;
}

export interface RequestOptions {
  /** How long the answer may take, in milliseconds, at least the driver's own timeout. */
  readonly timeoutMs?: number;
  /** About how many bytes the request takes. */
  readonly sizeHint?: number;
}

export class Cluster {
  readonly #links: LinkPool;
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #coordinators = new Map<string, number>();
  #brokers: MetadataAnswer | undefined;

  constructor(
    driver: Driver,
    readonly timeoutMs: number,
  ) {
    this.#links = new LinkPool(driver);
  }

  get driver(): string {
    return this.#links.driver.name;
  }

  /**
   * Sends one request once. An error within the answer is the caller's to judge.
   * @throws {KafkaClientError} `unavailable` where no answer came: the request may have taken effect
   */
  async request<Request, Answer>(
    target: Target | 'any',
    api: Api<Request, Answer>,
    request: Request,
    options: RequestOptions = {},
  ): Promise<Answer> {
    if (target === 'any')
      return await this.#send(await this.#connect(undefined, 'main'), api, request, options);
    try {
      const { brokers } = this.#brokers ?? (await this.#refresh([]));
      const broker = brokers.find(({ nodeId }) => nodeId === target.node);
      if (broker === undefined)
        throw connectionError(api.name, new Error(`broker ${target.node} is not among those of the cluster`));
      const link = await this.#connect(broker, target.lane ?? 'main');
      return await this.#send(link, api, request, options);
    } catch (error) {
      this.#forgetNode(target.node);
      throw error;
    }
  }

  /** The same for a request that may be sent twice: a connection that was lost while it was idle is made again. */
  async ask<Request, Answer>(
    target: Target | 'any',
    api: Api<Request, Answer>,
    request: Request,
    options: RequestOptions = {},
  ): Promise<Answer> {
    try {
      return await this.request(target, api, request, options);
    } catch (error) {
      if (!isClientError(error) || error.kind !== 'unavailable' || error.error !== undefined) throw error;
      return await this.request(target, api, request, options);
    }
  }

  /** Metadata of topics, from the cache where `isFresh` is not asked for. Topics that are not there have an error. */
  async topics(names: readonly string[], isFresh = false): Promise<readonly TopicMetadata[]> {
    const wanted = isFresh ? names : names.filter((name) => !this.#topics.has(name));
    if (wanted.length > 0) await this.#refresh(wanted);
    return names.flatMap((name) => this.#topics.get(name) ?? []);
  }

  /** Brokers and controller, asked anew. */
  async brokers(): Promise<MetadataAnswer> {
    return await this.#refresh([]);
  }

  /**
   * The broker that leads a partition, from the cache.
   * @throws {KafkaClientError} `unavailable` where there is none now, UNKNOWN_TOPIC_OR_PARTITION
   */
  async leader(topic: string, partition: number): Promise<number> {
    const [metadata] = await this.topics([topic]);
    const error = metadata === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : errorName(metadata.error);
    if (error !== undefined || metadata === undefined) {
      this.#topics.delete(topic);
      throw partitionError(error ?? '', topic, partition);
    }
    const found = metadata.partitions.find((other) => other.partition === partition);
    if (found !== undefined && found.leader >= 0) return found.leader;
    this.#topics.delete(topic);
    throw partitionError(
      found === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'LEADER_NOT_AVAILABLE',
      topic,
      partition,
    );
  }

  /** The leader is another one by now, or the topic is gone: to be asked anew. */
  forgetTopic(topic: string): void {
    this.#topics.delete(topic);
  }

  /** The brokers that coordinate these groups or transactional ids, from the cache; one that is starting is waited for. */
  async coordinators(
    type: CoordinatorType,
    keys: readonly string[],
    retrying: Retrying = { timeoutMs: this.timeoutMs },
  ): Promise<ReadonlyMap<string, number>> {
    const missing = keys.filter((key) => !this.#coordinators.has(`${type} ${key}`));
    if (missing.length > 0) await retried(retrying, () => this.#findCoordinators(type, missing));
    return new Map(keys.map((key) => [key, this.#coordinators.get(`${type} ${key}`) ?? -1]));
  }

  async coordinator(type: CoordinatorType, key: string, retrying?: Retrying): Promise<number> {
    return (await this.coordinators(type, [key], retrying)).get(key) ?? -1;
  }

  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type} ${key}`);
  }

  close(): void {
    this.#links.close();
  }

  /** @param broker undefined: any */
  async #connect(broker: BrokerAddress | undefined, lane: string): Promise<BrokerLink> {
    return await this.#links.get(broker, lane).catch((error: unknown) => {
      const shown = broker === undefined ? 'any broker' : `${broker.host}:${broker.port}`;
      throw connectionError(`cannot connect to ${shown}`, error);
    });
  }

  async #send<Request, Answer>(
    link: BrokerLink,
    api: Api<Request, Answer>,
    request: Request,
    { timeoutMs = this.timeoutMs, sizeHint }: RequestOptions,
  ): Promise<Answer> {
    const writer = new Writer(sizeHint);
    api.encode(writer, request);
    const { name, key, version } = api;
    try {
      const answer = await link.send({ name, key, version, body: writer.written, timeoutMs });
      const reader = new Reader(answer);
      reader.tags();
      return api.decode(reader);
    } catch (error) {
      // What was sent may still be answered, to the next request: this connection is not to be used again.
      this.#links.drop(link);
      throw connectionError(name, error);
    }
  }

  async #findCoordinators(type: CoordinatorType, keys: readonly string[]): Promise<void> {
    const found = await this.ask('any', findCoordinatorApi, { type, keys });
    for (const { key, nodeId, error, message } of found) {
      const name = errorName(error);
      if (name !== undefined) {
        const named = type === 'transaction' ? { transactionalId: key } : {};
        throw new KafkaClientError(`the coordinator of ${type} ${key} cannot be found: ${message ?? name}`, {
          kind: kindOf(name),
          error: name,
          ...named,
        });
      }
      if (this.#brokers?.brokers.every((broker) => broker.nodeId !== nodeId) ?? true) await this.#refresh([]);
      this.#coordinators.set(`${type} ${key}`, nodeId);
    }
  }

  async #refresh(names: readonly string[]): Promise<MetadataAnswer> {
    const answer = await this.ask('any', metadataApi, names);
    this.#brokers = answer;
    this.#links.know(answer.brokers);
    for (const name of names) this.#topics.delete(name);
    for (const topic of answer.topics) this.#topics.set(topic.name, topic);
    return answer;
  }

  /** A broker that does not answer may be gone: whatever it led or coordinated is another one's by then, or it has another address. */
  #forgetNode(node: number): void {
    this.#brokers = undefined;
    for (const [key, coordinator] of this.#coordinators)
      if (coordinator === node) this.#coordinators.delete(key);
    for (const [name, { partitions }] of this.#topics)
      if (partitions.some(({ leader }) => leader === node)) this.#topics.delete(name);
  }
}

export function partitionError(error: string, topic: string, partition: number): KafkaClientError {
  return new KafkaClientError(`partition ${partition} of topic ${topic}: ${error}`, {
    kind: error === 'UNKNOWN_TOPIC_OR_PARTITION' ? 'refused' : kindOf(error),
    error,
    topic,
    partition,
  });
}
