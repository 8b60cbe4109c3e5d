import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/**
 * One request of Kafka's protocol in one version: how it is written and its answer is read. All are of flexible versions, which
 * brokers 3.9 to 4.4 have in common; the texts are those of `clients/src/main/resources/common/message` in Kafka's source.
 */
export interface Api<Request, Answer> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  encode(writer: Writer, request: Request): void;
  decode(reader: Reader): Answer;
}
