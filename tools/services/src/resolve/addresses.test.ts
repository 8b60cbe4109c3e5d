import { describe, expect, test } from '@jest/globals';

import { addressOf, parseAddress } from '../postgres/database.js';
import { parseBrokers, parseS3, printS3 } from './addresses.js';

describe('addresses in the environment', () => {
  test('an object store comes back as it was, whatever its credentials', () => {
    const address = {
      endpoint: 'http://127.0.0.1:9000',
      accessKeyId: 'a/b@c:d',
      secretAccessKey: 'ü%+ =&?#',
      region: 'eu-west-1',
      bucket: 'some-bucket',
    };
    expect(parseS3(printS3(address))).toEqual(address);
  });

  test('the region of an object store may be left out, its bucket may not', () => {
    expect(parseS3('http://a:b@127.0.0.1:9000/c').region).toBe('us-east-1');
    expect(() => parseS3('http://a:b@127.0.0.1:9000/')).toThrow('EOS_TEST_S3');
  });

  test('brokers are a list of host and port', () => {
    expect(parseBrokers('127.0.0.1:9092, [::1]:9093')).toEqual(['127.0.0.1:9092', '[::1]:9093']);
    expect(() => parseBrokers('127.0.0.1')).toThrow('EOS_TEST_KAFKA');
  });

  test.each(['127.0.0.1', '::1'])('a database at %s comes back as it was', (host) => {
    const address = addressOf({ host, port: 5433, user: 'some:user', password: 'p@/ss?%' }, 'in "use"');
    expect(parseAddress(address.url)).toEqual(address);
  });

  test('what a database URL leaves out is what the server takes for it', () => {
    expect(parseAddress('postgresql://me@localhost')).toMatchObject({
      port: 5432,
      user: 'me',
      database: 'me',
    });
  });
});
