// X.509 certificates for tests (RFC 5280), written by Node alone, because some machines have no openssl.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface Identity {
  readonly key: KeyObject
  /** [DER] of its name. */
  readonly name: Buffer
  /** [DER] */
  readonly certificate: Buffer
}

const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, text: 0x0c, time: 0x17, set: 0x31 } as const
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
const COMMON_NAME = oid('550403')
const BASIC_CONSTRAINTS = oid('551d13')
const SUBJECT_ALT_NAME = oid('551d11')
const DAY_MS = 86_400_000

/** @param issuer the signer; if absent, self-signed and a CA. @param address the IP address that it is valid for. */
export function certify(commonName: string, { issuer, address }: { issuer?: Identity; address?: string } = {}): Identity {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const name = sequence(der(TAG.set, sequence(COMMON_NAME, der(TAG.text, Buffer.from(commonName)))))
  const extensions =
    address === undefined
      ? sequence(BASIC_CONSTRAINTS, der(TAG.boolean, Buffer.of(0xff)), octets(sequence(der(TAG.boolean, Buffer.of(0xff)))))
      : sequence(SUBJECT_ALT_NAME, octets(sequence(der(0x87, addressBytes(address)))))
  const signed = sequence(
    der(0xa0, der(TAG.integer, Buffer.of(2))), // version 3
    der(TAG.integer, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    issuer?.name ?? name,
    sequence(time(Date.now() - DAY_MS), time(Date.now() + 2 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  )
  const signature = sign('sha256', signed, issuer?.key ?? key)
  const bits = der(TAG.bits, Buffer.concat([Buffer.of(0), signature]))
  return { key, name, certificate: sequence(signed, ECDSA_WITH_SHA256, bits) }
}

export function certificatePem({ certificate }: Identity): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

export function keyPem({ key }: Identity): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function octets(content: Buffer): Buffer {
  return der(TAG.octets, content)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

/** UTCTime: good until 2049. */
function time(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(TAG.time, Buffer.from(text.slice(2)))
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail)]
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
