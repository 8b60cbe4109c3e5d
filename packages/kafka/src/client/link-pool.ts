/** The connections to the brokers of a cluster: one for each broker and lane, made when it is first used. */
import type { BrokerAddress, BrokerLink, Driver } from './driver.js';

interface Node extends BrokerAddress {
  readonly nodeId: number;
}

export class LinkPool {
  /** By `<host>:<port> <lane>`; `any` for a connection to whichever broker answered first. */
  readonly #links = new Map<string, Promise<BrokerLink>>();
  #known: readonly Node[] = [];
  #isClosed = false;

  constructor(readonly driver: Driver) {}

  /** Connects where there is no connection yet; undefined: to any broker. */
  async get(address: BrokerAddress | undefined, lane: string): Promise<BrokerLink> {
    this.#checkOpen();
    const name = address === undefined ? `any ${lane}` : `${address.host}:${address.port} ${lane}`;
    const existing = await this.#links.get(name);
    if (existing?.isOpen() === true) return existing;
    const opening = address === undefined ? this.#connectAny() : this.driver.connect(address);
    this.#links.set(name, opening);
    try {
      const link = await opening;
      this.#checkOpen(link);
      return link;
    } catch (error) {
      if (this.#links.get(name) === opening) this.#links.delete(name);
      throw error;
    }
  }

  /** Takes a connection out of use. */
  drop(dropped: BrokerLink): void {
    dropped.close();
    for (const [name, link] of this.#links) {
      void link.then(
        (open) => {
          if (open === dropped && this.#links.get(name) === link) this.#links.delete(name);
        },
        () => undefined,
      );
    }
  }

  know(nodes: readonly Node[]): void {
    this.#known = nodes;
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values())
      link.then(
        (open) => open.close(),
        () => undefined,
      );
    this.#links.clear();
  }

  /** A client may be closed while it connects. */
  #checkOpen(link?: BrokerLink): void {
    if (!this.#isClosed) return;
    link?.close();
    throw new Error('the client is closed');
  }

  /** The options may name one broker of several, which may be down: what is known of the others is tried next. */
  async #connectAny(): Promise<BrokerLink> {
    try {
      return await this.driver.connectAny();
    } catch (error) {
      for (const node of this.#known) {
        const link = await this.driver.connect(node).catch(() => undefined);
        if (link !== undefined) return link;
      }
      throw error;
    }
  }
}
