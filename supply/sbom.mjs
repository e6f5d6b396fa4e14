// Writes the bill of materials: what a production install brings, on whatever platform, as CycloneDX 1.6 in JSON.
//
//   npm run sbom [-- --lock FILE --out FILE]
//
// Made of the lock file alone, so the same commit gives the same bytes: no time, and a serial number that is a digest.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readLock } from './packages.mjs'

const { values } = parseArgs({
  options: { lock: { type: 'string', default: 'package-lock.json' }, out: { type: 'string', default: 'sbom.cdx.json' } },
})
const { name, version, licence, needs, packages, text } = readLock(values.lock)
const refOf = new Map(packages.map((each) => [each.path, purl(each)]))
const root = { type: 'application', 'bom-ref': purl({ name, version }), name, version, licenses: licencesOf(licence) }

const components = new Map()
const dependencies = new Map([[root['bom-ref'], new Set(refsOf(needs))]])
for (const each of packages) {
  const ref = purl(each)
  // One that lies in two places is one, and optional only if it is so in both.
  const before = components.get(ref)
  const isOptional = each.isOptional && (before === undefined || before.scope === 'optional')
  components.set(ref, {
    type: 'library',
    'bom-ref': ref,
    name: each.name,
    version: each.version,
    scope: isOptional ? 'optional' : 'required',
    hashes: hashesOf(each.integrity),
    licenses: licencesOf(each.licence),
    purl: ref,
  })
  dependencies.set(ref, new Set([...(dependencies.get(ref) ?? []), ...refsOf(each.needs)]))
}

const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: `urn:uuid:${digestAsUuid(text)}`,
  version: 1,
  metadata: { component: root },
  components: [...components.values()].sort(byRef),
  dependencies: [...dependencies]
    .map(([ref, on]) => ({ ref, dependsOn: [...on].sort() }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
}
writeFileSync(values.out, `${JSON.stringify(bom, null, 2)}\n`)
console.log(`${values.out}: ${bom.components.length} components`)

function refsOf(paths) {
  return paths.flatMap((path) => refOf.get(path) ?? [])
}

function byRef(a, b) {
  return a['bom-ref'] < b['bom-ref'] ? -1 : 1
}

/** https://github.com/package-url/purl-spec */
function purl({ name, version }) {
  return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`
}

function hashesOf(integrity) {
  const [, algorithm, base64] = /^(sha512|sha256|sha1)-([A-Za-z0-9+/=]+)$/.exec(integrity ?? '') ?? []
  if (base64 === undefined) return []
  const alg = { sha512: 'SHA-512', sha256: 'SHA-256', sha1: 'SHA-1' }[algorithm]
  return [{ alg, content: Buffer.from(base64, 'base64').toString('hex') }]
}

function licencesOf(licence) {
  if (licence === undefined) return []
  return / (AND|OR|WITH) /.test(licence)
    ? [{ expression: licence.replaceAll(/^\(|\)$/g, '') }]
    : [{ license: { id: licence } }]
}

/** RFC 9562, section 5.8: version 8. */
function digestAsUuid(bytes) {
  const digest = createHash('sha256').update(bytes).digest()
  digest[6] = 0x80 | (digest[6] & 0x0f)
  digest[8] = 0x80 | (digest[8] & 0x3f)
  const hex = digest.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
