// Rules of `tabir doctor`: what is fine, what is not, and how to fix it.

import { ownValue } from '../../../packages/core/src/own-value.js'
import type { Config } from '../../boot/config.js'
import { ISOLATION_LAYERS } from '../../domain/isolation-layers.js'
import type { Language } from '../../domain/languages.js'
import type { ApiFacts, CertificateFacts } from './doctor-api.js'
import type { FileFacts, HostFacts, RedisFacts } from './doctor-facts.js'

/** `fail`: a guarantee does not hold. `warn`: it holds, but the operator should act. */
export type Level = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly level: Level
  readonly text: string
}

const GiB = 1024 ** 3
/** With this maximum a withdrawal of 10,000 images takes 0.4 MB. */
const MAX_NODE_BYTES = 512
const MIN_WITHDRAWALS_BYTES = 16 * 1024 ** 2
/** Beyond this difference people notice wrong times, and cases expire early or late. */
const MAX_CLOCK_OFF_MS = 2000
const DAY_MS = 86_400_000
/** Automatic renewal usually happens 30 days before expiry. */
const MIN_CERTIFICATE_DAYS = 21
/** A running messenger handles an event within seconds. */
const MAX_OUTBOX_MS = 60_000

export function checkHost({ nodeVersion, decoderError, ffmpeg, overcommitMemory, hasSwap }: HostFacts): Finding[] {
  const major = Number(nodeVersion.split('.')[0])
  return [
    major >= 22 ? ok(`Node ${nodeVersion}`) : warn(`Node ${nodeVersion} has had no fixes since April 2026: run 22 or 24`),
    decoderError === '' ? ok('image decoders are recent enough') : fail(`image decoders: ${decoderError}`),
    checkFfmpeg(ffmpeg),
    ...when(overcommitMemory !== undefined && overcommitMemory !== 1, () =>
      warn('vm.overcommit_memory is not 1: Redis may fail to rewrite its log when memory is short'),
    ),
    ...when(hasSwap === true, () => warn('swap is on: memory may be written to disk. Turn it off or encrypt it')),
  ]
}

function checkFfmpeg({ binary, error }: HostFacts['ffmpeg']): Finding {
  if (error !== undefined) return fail(`videos: ${error}`)
  if (binary !== undefined) return ok(`videos are decoded with ${binary}`)
  return warn(
    'there is no ffmpeg, so uploaded videos are refused, and taken as hashes only: apt-get install ffmpeg, or name one in TABIR_FFMPEG',
  )
}

export function checkFiles(files: FileFacts, logBytes: number): Finding[] {
  const { dataDirMode, freeBytes, sizeBytes, sealKeyFile, withdrawals } = files
  const found: Finding[] = []
  if (dataDirMode !== undefined)
    found.push(
      isForOthers(dataDirMode)
        ? warn('others may read the data folder: chmod 700')
        : ok('only its owner may read the data folder'),
    )
  if (freeBytes !== undefined && sizeBytes !== undefined) {
    const free = `${(freeBytes / GiB).toFixed(1)} GiB free on the disk of the data`
    // A rewrite needs room for a second copy of all data.
    if (freeBytes < logBytes * 1.2 + 0.1 * GiB) found.push(fail(`${free}: too little for Redis to rewrite its log`))
    else found.push(freeBytes < sizeBytes / 10 ? warn(`${free}, less than a tenth`) : ok(free))
  }
  if (sealKeyFile === undefined) found.push(ok('the seal keys come from the environment'))
  else if (sealKeyFile.mode === undefined) found.push(warn('there is no seal key file yet'))
  else {
    found.push(
      isForOthers(sealKeyFile.mode)
        ? fail('others may read the seal keys: chmod 600')
        : ok('only their owner may read the seal keys'),
    )
    if (sealKeyFile.isBesideData)
      found.push(
        warn(
          'the seal keys lie beside the data: a thief of the folder has both. Set TABIR_SEAL_KEYS or TABIR_SEAL_KEY_FILE',
        ),
      )
  }
  if (!withdrawals.isOnDisk)
    found.push(warn('there is no folder of withdrawals: nothing was withdrawn yet, or they are logged elsewhere'))
  else if (withdrawals.sharesDisk)
    found.push(warn('withdrawals are logged on the disk of the data and would be lost with it: set TABIR_WITHDRAWALS_DIR'))
  else found.push(ok('withdrawals are logged on a disk of their own'))
  if (withdrawals.isBehind === true)
    found.push(
      fail('a withdrawal is missing in the log: a restore would bring it back. See TabirWithdrawalsNotNoted in the runbook'),
    )
  if (withdrawals.freeBytes !== undefined && withdrawals.freeBytes < MIN_WITHDRAWALS_BYTES)
    found.push(fail('less than 16 MiB free on the disk of the withdrawal log'))
  return found
}

export function checkRedis(redis: RedisFacts): Finding[] {
  const { kind, version, settings, line, usedBytes, maxBytes, isLogSound, clockAheadMs } = redis
  const { workers, messengers, outboxMs, eventsWaiting } = redis
  const is = (name: string, wanted: string, otherwise: () => Finding) =>
    when((ownValue(settings, name) ?? wanted) !== wanted, otherwise)
  const isOld = kind === 'Redis' && version.localeCompare('7.2', 'en', { numeric: true }) < 0
  const untold = Object.keys(settings).every((name) => name === 'appendonly' || name === 'maxmemory-policy') // only those that INFO has
  return [
    isOld ? warn(`Redis ${version} cannot confirm that a write is on disk: use 7.2 or later`) : ok(`${kind} ${version}`),
    ...when(untold, () => warn('Redis does not tell all of its settings: check those that the runbook names')),
    ...is('appendonly', 'yes', () => fail('Redis keeps no log on disk: a crash loses everything. Set appendonly yes')),
    ...is('appendfsync', 'always', () => warn('each write waits for up to a second: set appendfsync always')),
    ...is('maxmemory-policy', 'noeviction', () =>
      fail('Redis evicts data when memory is full: set maxmemory-policy noeviction'),
    ),
    ...is('slowlog-log-slower-than', '-1', () =>
      warn('the slow log of Redis keeps arguments of commands: set slowlog-log-slower-than -1'),
    ),
    ...['commandlog-request-larger-than', 'commandlog-reply-larger-than'].flatMap((name) =>
      is(name, '-1', () => warn(`the command log of Valkey keeps arguments of large commands: set ${name} -1`)),
    ),
    ...is('crash-log-enabled', 'no', () =>
      warn('the crash log of Redis would keep arguments of commands: set crash-log-enabled no'),
    ),
    ...atLeast(settings['hash-max-listpack-entries'], 2048, 'hash-max-listpack-entries'),
    ...atLeast(settings['hash-max-listpack-value'], 2048, 'hash-max-listpack-value'),
    ...when(Number(ownValue(settings, 'stream-node-max-bytes') ?? 0) > MAX_NODE_BYTES, () =>
      warn(`each case takes 3.5 kB more than it needs: set stream-node-max-bytes ${MAX_NODE_BYTES}`),
    ),
    isLogSound ? ok('the log of Redis is sound') : fail('Redis could not write its log: check its disk'),
    ...when(line === 'plain', () => fail('the connection to Redis is neither local nor TLS: use rediss://')),
    ...when(maxBytes > 0 && usedBytes > 0.8 * maxBytes, () => warn('Redis uses more than 80 % of its memory')),
    Math.abs(clockAheadMs) > MAX_CLOCK_OFF_MS
      ? warn(`the clock of Redis differs from ours by ${clockAheadMs} ms: set both by NTP`)
      : ok('the clock of Redis and ours agree'),
    workers.alive > 0
      ? ok(`workers alive: ${workers.alive}`)
      : warn('no workers are alive: pictures are not hashed, cases do not expire'),
    ...when(workers.alive > 0, () => aboutSandbox(redis.lacking)),
    messengers.alive > 0
      ? ok(`messengers alive: ${messengers.alive}`)
      : warn('no messenger is alive: webhooks are not sent'),
    ...when(outboxMs > MAX_OUTBOX_MS, () =>
      warn(`events have waited for ${Math.round(outboxMs / 1000)} s to be sent to webhooks`),
    ),
    ...when(eventsWaiting > 0, () =>
      fail(`${eventsWaiting} events wait: the messenger lacks a seal key, or a record cannot be opened`),
    ),
    ...when(workers.silent > 0, () => warn(`${workers.silent} workers went silent in the last ten minutes`)),
  ]
}

/** Judges what every running worker found when it tested its isolation at its start. */
function aboutSandbox(lacking: RedisFacts['lacking']): Finding {
  const layers = ISOLATION_LAYERS.filter((layer) => lacking[layer] > 0)
  if (layers.length === 0)
    return ok('image decoders are isolated: no network, no secret file, no other process, nothing to write to')
  const reach = layers.includes('no-secret-files') ? ' A compromised decoder can read seal keys that are on this host.' : ''
  return warn(
    `image decoders are partly isolated; missing: ${layers.join(', ')}.${reach} See "What a decoder can reach" in the runbook`,
  )
}

/** How client addresses are found. The settings refuse public exposure without TABIR_TRUST_PROXY. */
export function checkProxies({ trustedProxies }: Pick<Config, 'trustedProxies'>): Finding[] {
  if (trustedProxies === undefined)
    return [
      warn(
        'TABIR_TRUST_PROXY is not set: behind a proxy all callers count as one, and one of them can use up the limits of all. Set the addresses of the proxies, or none',
      ),
    ]
  if (trustedProxies.length === 0) return [ok('no proxy is trusted: callers count by the address they connect from')]
  return [ok(`X-Forwarded-For is trusted from ${trustedProxies.join(', ')} only`)]
}

export function checkLanguages(languages: readonly Language[]): Finding[] {
  const unread = languages.filter(({ reviewed }) => !reviewed).map(({ tag }) => tag)
  if (unread.length === 0) return [ok('each language of the page was read by a native speaker who works with survivors')]
  return [
    warn(
      `no native speaker who works with survivors has read the page in ${unread.join(', ')}: docs/page.md says how to ask`,
    ),
  ]
}

/** @param asking platforms with a key that may query or read the feed. */
export function checkPlatforms({ platformNames }: Pick<Config, 'platformNames'>, asking: number): Finding[] {
  return when(platformNames.length > asking, () =>
    warn(
      `the page names ${platformNames.length} platforms, and ${asking} have a key to ask with: correct TABIR_PLATFORM_NAMES`,
    ),
  )
}

export function checkApi({ readiness, reason }: ApiFacts): Finding[] {
  if (readiness === 200) return [ok('the api answers and is ready')]
  if (readiness === undefined) return [warn('no api answers at TABIR_HOST and TABIR_PORT')]
  return [
    fail(`the api answers but is not ready (${readiness}${reason === undefined ? '' : `, ${reason}`}): see the runbook`),
  ]
}

export function checkCertificates(certificates: readonly CertificateFacts[], nowMs: number): Finding[] {
  return certificates.map(({ setting, expiresAtMs }) => {
    if (expiresAtMs === undefined) return fail(`the certificate of ${setting} cannot be read`)
    const days = Math.floor((expiresAtMs - nowMs) / DAY_MS)
    if (days < 0) return fail(`the certificate of ${setting} has expired`)
    const text = `the certificate of ${setting} is valid for ${days} days`
    return days < MIN_CERTIFICATE_DAYS ? warn(`${text}: renew it`) : ok(text)
  })
}

function atLeast(value: string | undefined, wanted: number, name: string): Finding[] {
  return when(value !== undefined && Number(value) < wanted, () =>
    warn(`a third more memory and twice the time to start: set ${name} ${wanted}`),
  )
}

function isForOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}

function when(holds: boolean, say: () => Finding): Finding[] {
  return holds ? [say()] : []
}

export function ok(text: string): Finding {
  return { level: 'ok', text }
}

export function warn(text: string): Finding {
  return { level: 'warn', text }
}

export function fail(text: string): Finding {
  return { level: 'fail', text }
}
