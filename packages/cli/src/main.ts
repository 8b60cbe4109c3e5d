/** The process of the command `eos`. */
import { constants } from 'node:os';
import { eos } from './eos.js';

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // Nothing is lost by it: what is not committed is read again by the next run.
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    controller.abort(name);
  });
}
// Nobody reads any more, as behind `| head`.
process.stdout.on('error', () => controller.abort('EPIPE'));

const code = await eos(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  folder: process.cwd(),
  stop: controller.signal,
});
// Not left to the event loop: what a transform has opened must not keep the process alive, and a pipe may not be empty yet.
process.stdout.write('', () => process.exit(code));
