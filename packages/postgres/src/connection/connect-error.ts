/** Why no connection came about: what another try may mend, and what only the options can. */
import { EosError, isEosError, messageOf } from '@eos/core';
import { isServerError, mapError, socketMessage } from './error-map.js';

/**
 * What the handshake of TLS says of certificates and versions, and what the socket says of an address that cannot be one.
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const WRONG_OPTIONS =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_(?:CA|PURPOSE)$|ERR_(?:TLS|SSL|OSSL)_|ERR_SOCKET_BAD_PORT$|ERR_INVALID_ARG_)/;

/** As `pg` words it; it gives these no codes. */
const NO_TLS = 'The server does not support SSL connections';
const NO_PASSWORD = /^SASL: .*password must be/;
const AUTHENTICATION = /^SASL: /;

/** @returns EOS_CONFIG, EOS_PERMISSION or EOS_SCHEMA where another try cannot help, else EOS_UNAVAILABLE */
export function mapConnectError(error: unknown): EosError {
  if (isEosError(error) || isServerError(error)) return mapError(error);
  const message = messageOf(error);
  if (message === NO_TLS) return wrongConnection('the server does not offer TLS, which ssl asks for', error);
  if (NO_PASSWORD.test(message))
    return wrongConnection('the server asks for a password, and none is given', error);
  if (WRONG_OPTIONS.test(codeOf(error)))
    return wrongConnection(`no connection can be made: ${message}`, error);
  if (AUTHENTICATION.test(message)) return new EosError('EOS_PERMISSION', message, { cause: error });
  return new EosError('EOS_UNAVAILABLE', `the server could not be reached: ${socketMessage(error)}`, {
    retryable: true,
    cause: error,
  });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function wrongConnection(problem: string, cause: unknown): EosError {
  return new EosError('EOS_CONFIG', `connection: ${problem}`, { cause, details: { option: 'connection' } });
}
