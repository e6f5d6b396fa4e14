// Signs documents that leave the service: anybody can check later, without asking us, that we said so and that nothing changed.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson, type Json } from '../../domain/canonical.js'

export type Document = { readonly [name: string]: Json }
export type Signed<T extends Document> = T & { readonly keyId: string; readonly signature: string }

/** An Ed25519 key (RFC 8032) as a JWK (RFC 8037). `kid` is its thumbprint (RFC 7638), and the `keyId` of documents that it signed. */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'EdDSA'
}

export interface Signer {
  readonly jwk: PublicJwk
  /** The same key, SubjectPublicKeyInfo in PEM. */
  readonly pem: string
  /** Adds `keyId`, then `signature`: Ed25519 over the rest in canonical form, as base64url. The same document always gets the same signature. */
  sign<T extends Document>(document: T): Signed<T>
}

/** @param seed [32 bytes] the private key, in the terms of RFC 8032. */
export function createSigner(seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey(privateKey)
  const jwk = publicJwk(publicKey)
  return {
    jwk,
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign(document) {
      const named = { ...document, keyId: jwk.kid }
      const signature = sign(null, Buffer.from(canonicalJson(named)), privateKey).toString('base64url')
      return { ...named, signature }
    },
  }
}

/** Reads a public key: PEM, a JWK, or an object with a field `jwk`, as from `GET /v1/receipts/key`. @throws if it is not one. */
export function publicKeyFrom(text: string): KeyObject {
  const key = text.trimStart().startsWith('{')
    ? createPublicKey({ key: jwkIn(JSON.parse(text)), format: 'jwk' })
    : createPublicKey(text)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key')
  return key
}

/** Whether exactly this document was signed with this key. */
export function isSignedBy(key: KeyObject, document: Document): boolean {
  const { signature, ...rest } = document
  if (typeof signature !== 'string' || rest['keyId'] !== publicJwk(key).kid) return false
  const bytes = Buffer.from(signature, 'base64url')
  // Base64 has several texts for the same bytes; a document has one signature.
  return bytes.toString('base64url') === signature && verify(null, Buffer.from(canonicalJson(rest)), key, bytes)
}

/** The bytes before a seed in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

function publicJwk(key: KeyObject): PublicJwk {
  const x = key.export({ format: 'jwk' }).x ?? ''
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url')
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' }
}

function jwkIn(value: unknown): { kty: string; crv: string; x: string } {
  const inner = typeof value === 'object' && value !== null && 'jwk' in value ? value.jwk : value
  if (typeof inner !== 'object' || inner === null || !('x' in inner) || typeof inner.x !== 'string') {
    throw new Error('not a JWK of an Ed25519 key')
  }
  return { kty: 'OKP', crv: 'Ed25519', x: inner.x }
}
