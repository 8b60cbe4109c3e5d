/** A certificate for a broker on 127.0.0.1, signed by itself: by Java's keytool, which is there wherever a broker can run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  /** What a client has to trust. */
  readonly pem: string;
  /** Settings of the broker for a listener of that name, in lower case. */
  settings(listener: string): Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

const PASSWORD = 'of-the-key-store';

export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-certificate-'));
  const store = join(folder, 'broker.p12');
  const keytool = async (...args: string[]): Promise<string> => {
    const common = ['-alias', 'broker', '-keystore', store, '-storepass', PASSWORD];
    return (await promisify(execFile)('keytool', [...args, ...common])).stdout;
  };
  const name = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1'];
  await keytool('-genkeypair', '-keyalg', 'EC', '-storetype', 'PKCS12', '-validity', '3', ...name);
  return {
    pem: await keytool('-exportcert', '-rfc'),
    settings: (listener) => ({
      [`listener.name.${listener}.ssl.keystore.type`]: 'PKCS12',
      [`listener.name.${listener}.ssl.keystore.location`]: store,
      [`listener.name.${listener}.ssl.keystore.password`]: PASSWORD,
    }),
    remove: () => rm(folder, { recursive: true }),
  };
}
