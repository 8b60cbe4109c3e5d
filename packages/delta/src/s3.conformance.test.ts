import { randomUUID } from 'node:crypto';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import { conformance } from '@eos/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { s3Laboratory, type S3Laboratory } from './s3.testing.js';

const program = 'versitygw';
const start = () => startS3({ program });

describeWith({ describe, beforeAll, afterAll }, program, missingForS3(program), start, (getServer) => {
  let laboratory: S3Laboratory;
  beforeAll(async () => {
    laboratory = await s3Laboratory(getServer());
  });
  afterAll(() => laboratory.close());
  conformance({
    describe,
    test,
    expect,
    name: `delta in ${program}: append`,
    create: () => laboratory.destination('append', `${randomUUID()}/`),
  });
});
