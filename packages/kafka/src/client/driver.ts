/** What a client library is used for: connections to brokers, with its TLS, its SASL and all its options. */

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface Driver {
  readonly name: string;
  /** Connects to one of the brokers that the options name, another one each time. */
  connectAny(): Promise<BrokerLink>;
  /** Connects, and authenticates where that is set. */
  connect(address: BrokerAddress): Promise<BrokerLink>;
}

/** One connection. Requests are answered in their order. */
export interface BrokerLink {
  /** False where it was lost, and does not come back by itself. */
  isOpen(): boolean;
  /** Sends a request once, and gives what follows the head of its answer. Rejects where the answer does not come. */
  send(request: WireRequest): Promise<Buffer>;
  /** Whoever waits for an answer is rejected. Never throws. */
  close(): void;
}

export interface WireRequest {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly body: Buffer;
  readonly timeoutMs: number;
}
