/** The requests of a member of a consumer group. */
import type { Api } from './api.js';
import type { Reader } from './reader.js';

/** Who is asking. */
export interface MemberIdentity {
  readonly groupId: string;
  readonly memberId: string;
  readonly generation: number;
}

export interface JoinGroupRequest {
  readonly groupId: string;
  /** Empty: a new member, which is given an id. */
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocol: string;
  readonly metadata: Buffer;
}

export interface JoinGroupAnswer {
  readonly error: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Of the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

const PROTOCOL_TYPE = 'consumer';
const NONE = Buffer.alloc(0);

export const joinGroupApi: Api<JoinGroupRequest, JoinGroupAnswer> = {
  name: 'JoinGroup',
  key: 11,
  version: 7,
  encode(writer, { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata }) {
    writer.compactString(groupId).int32(sessionTimeoutMs).int32(rebalanceTimeoutMs);
    writer.compactString(memberId).compactNullableString(null).compactString(PROTOCOL_TYPE);
    writer.compactArray([protocol], (name) =>
      writer
        .compactString(name)
        .unsignedVarint(metadata.length + 1)
        .bytes(metadata)
        .tags(),
    );
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    const [error, generation] = [reader.int16(), reader.int32()];
    reader.compactNullableString();
    reader.compactNullableString();
    const [leaderId, memberId] = [reader.compactString(), reader.compactString()];
    const members = reader.compactArray(() => {
      const id = reader.compactString();
      reader.compactNullableString();
      const member = { memberId: id, metadata: reader.compactBytes() ?? NONE };
      reader.tags();
      return member;
    });
    return { error, generation, leaderId, memberId, members };
  },
};

export const syncGroupApi: Api<
  MemberIdentity & {
    readonly protocol: string;
    readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
  },
  { readonly error: number; readonly assignment: Buffer }
> = {
  name: 'SyncGroup',
  key: 14,
  version: 5,
  encode(writer, { groupId, generation, memberId, protocol, assignments }) {
    writer.compactString(groupId).int32(generation).compactString(memberId).compactNullableString(null);
    writer.compactNullableString(PROTOCOL_TYPE).compactNullableString(protocol);
    writer.compactArray(assignments, ({ memberId: id, assignment }) =>
      writer
        .compactString(id)
        .unsignedVarint(assignment.length + 1)
        .bytes(assignment)
        .tags(),
    );
    writer.tags();
  },
  decode(reader) {
    const { error } = errorAnswer(reader);
    reader.compactNullableString();
    reader.compactNullableString();
    return { error, assignment: reader.compactBytes() ?? NONE };
  },
};

export const heartbeatApi: Api<MemberIdentity, { readonly error: number }> = {
  name: 'Heartbeat',
  key: 12,
  version: 4,
  encode(writer, { groupId, generation, memberId }) {
    writer.compactString(groupId).int32(generation).compactString(memberId);
    writer.compactNullableString(null).tags();
  },
  decode: errorAnswer,
};

export const leaveGroupApi: Api<Omit<MemberIdentity, 'generation'>, { readonly error: number }> = {
  name: 'LeaveGroup',
  key: 13,
  version: 4,
  encode(writer, { groupId, memberId }) {
    writer.compactString(groupId);
    writer.compactArray([memberId], (id) => writer.compactString(id).compactNullableString(null).tags());
    writer.tags();
  },
  decode: errorAnswer,
};

function errorAnswer(reader: Reader): { readonly error: number } {
  reader.int32();
  return { error: reader.int16() };
}
