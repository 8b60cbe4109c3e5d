/** How the leader of a group shares out partitions. */
import type { TopicPartitionMap } from '../client/wire/group-protocol.js';

export interface Subscriber {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/**
 * Every partition goes to one of the members that subscribed to its topic, and no such member gets two more than another. The same
 * members and partitions give the same result.
 */
export function assignPartitions(
  subscribers: readonly Subscriber[],
  partitions: ReadonlyMap<string, number>,
): ReadonlyMap<string, TopicPartitionMap> {
  const members = [...subscribers]
    .sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
    .map(({ memberId, topics }) => ({
      memberId,
      topics: new Set(topics),
      count: 0,
      assigned: new Map<string, number[]>(),
    }));
  for (const [topic, count] of [...partitions].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const eligible = members.filter(({ topics }) => topics.has(topic));
    for (let partition = 0; partition < count; partition++) {
      const least = eligible.reduce<(typeof members)[number] | undefined>(
        (best, member) => (best === undefined || member.count < best.count ? member : best),
        undefined,
      );
      if (least === undefined) break;
      least.count++;
      const numbers = least.assigned.get(topic);
      if (numbers === undefined) least.assigned.set(topic, [partition]);
      else numbers.push(partition);
    }
  }
  return new Map(members.map(({ memberId, assigned }) => [memberId, assigned]));
}
