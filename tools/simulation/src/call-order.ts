/** The order in which the core may call the author's side of a sink (define-sink.ts), checked where the calls arrive. */
import type { Incarnation } from './incarnation.js';
import type { World } from './world.js';

type State = 'open' | 'preparing' | 'prepared' | 'committing' | 'ended';

/** The calls on one session. */
export class SessionCalls {
  #isClosed = false;
  #hasFailed = false;
  readonly transactions = new Set<TransactionCalls>();

  constructor(
    private readonly world: World,
    private readonly process: Incarnation,
    private readonly name: string,
  ) {
    process.open.add(name);
  }

  begin(): void {
    this.check('begin');
    const busy = [...this.transactions].some(({ state }) =>
      this.world.plan.staging ? state === 'open' : true,
    );
    if (busy) this.violate('begin', 'another transaction is open');
  }

  /** The call got through: there is a transaction. */
  began(): TransactionCalls {
    const transaction = new TransactionCalls(this);
    this.transactions.add(transaction);
    return transaction;
  }

  close(): void {
    if (this.#isClosed) this.violate('close', 'it was closed before');
    this.#isClosed = true;
    this.process.open.delete(this.name);
    for (const { state } of this.transactions) {
      if (state === 'open' || state === 'preparing' || state === 'prepared')
        this.violate('close', 'a transaction was not rolled back');
    }
  }

  /** A commit failed: nothing may follow but the end. */
  fail(): void {
    this.#hasFailed = true;
  }

  check(call: string): void {
    if (this.#isClosed) this.violate(call, 'the session is closed');
    if (this.#hasFailed) this.violate(call, 'a commit of the session had failed');
  }

  violate(call: string, problem: string): void {
    this.world.violate(`${this.name}: ${call} was called though ${problem}`);
  }
}

/** The calls on one transaction. */
export class TransactionCalls {
  state: State = 'open';

  constructor(private readonly session: SessionCalls) {}

  write(): void {
    this.#expect('write', 'open');
  }

  prepare(): void {
    this.#expect('prepare', 'open');
    const [first] = this.session.transactions;
    if (first !== this) this.session.violate('prepare', 'an earlier transaction is not committed');
    this.state = 'preparing';
  }

  prepared(): void {
    if (this.state === 'preparing') this.state = 'prepared';
  }

  commit(): void {
    this.#expect('commit', 'prepared');
    this.state = 'committing';
  }

  committed(): void {
    this.#end();
  }

  commitFailed(): void {
    this.#end();
    this.session.fail();
  }

  rollback(): void {
    if (this.state === 'committing') this.session.violate('rollback', 'the commit had been sent');
    if (this.state === 'ended') this.session.violate('rollback', 'the transaction had ended');
    this.#end();
  }

  #end(): void {
    this.state = 'ended';
    this.session.transactions.delete(this);
  }

  #expect(call: string, state: State): void {
    this.session.check(call);
    if (this.state !== state) this.session.violate(call, `the transaction is ${this.state}`);
  }
}
