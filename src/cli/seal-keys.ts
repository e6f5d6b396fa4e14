// tabir keys seal list | rotate | retire

import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ownValue } from '../../packages/core/src/own-value.js'
import { plainText } from '../domain/plain-text.js'
import { noteInAudit } from '../store/audit/audit.js'
import type { Store } from '../store/redis/client.js'
import { addSealKey, dropSealKey, sealKeyPath } from '../store/sealing/seal-keys.js'
import { forgetKey, keyToSealWith, sealKeyUsers, switchToActive, usedKeys } from '../store/sealing/seal-ring.js'
import { rewriteLog } from '../store/upkeep/log-rewrite.js'
import { type Census, census, reencryptAll } from '../store/upkeep/re-encryption.js'
import { type SealedUnder, sealedUnder } from './backup/sealed-under.js'
import { failed, printJson } from './output.js'
import { type SealedStore, withSealedStore } from './sealed-store.js'

const USAGE = `tabir keys seal list
  tabir keys seal rotate [--new ID]
  tabir keys seal retire ID [--backups FOLDER]… [--yes]`
const SWITCH_TIMEOUT_MS = 10_000
const POLL_MS = 200
const PROGRESS_INTERVAL_MS = 1000
const REWRITE_TIMEOUT_MS = 3_600_000
const MAX_SHOWN = 20

/** @returns the exit status: 0; 1 on failure or refusal; 2 for wrong arguments */
export async function sealKeys([verb, ...rest]: readonly string[]): Promise<number> {
  if (verb === 'list' && rest.length === 0) return withSealedStore(list)
  if (verb === 'rotate') {
    const label = newLabel(rest)
    if (label !== 'unusable') return withSealedStore((opened) => rotate(opened, label))
  }
  if (verb === 'retire') {
    const retirement = retirementIn(rest)
    if (retirement !== undefined) return withSealedStore((opened) => retire(opened, retirement))
  }
  return failed(USAGE, 2)
}

function newLabel(args: string[]): string | undefined {
  try {
    const { values } = parseArgs({ args, options: { new: { type: 'string' } } })
    return values.new === undefined || /^[\w.-]{1,32}$/.test(values.new) ? values.new : 'unusable'
  } catch {
    return 'unusable'
  }
}

interface Retirement {
  readonly id: string
  /** Folders with backups to check. */
  readonly backups: readonly string[]
  readonly isConfirmed: boolean
}

function retirementIn(args: string[]): Retirement | undefined {
  try {
    const options = { backups: { type: 'string', multiple: true }, yes: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [id, ...more] = positionals
    if (id === undefined || more.length > 0) return undefined
    return { id, backups: values.backups ?? [], isConfirmed: values.yes }
  } catch {
    return undefined
  }
}

async function list({ store, keyring }: SealedStore): Promise<number> {
  const [counts, used, switchedTo] = [await census(store, keyring), await usedKeys(store), await keyToSealWith(store)]
  const processes = [...(await sealKeyUsers(store)).values()]
  for (const { label, fingerprint } of keyring.named) {
    printJson({
      id: label,
      fingerprint,
      active: fingerprint === (switchedTo ?? keyring.active.fingerprint),
      used: used.some((key) => key.fingerprint === fingerprint),
      processes: processes.filter((each) => each === fingerprint).length,
      sealed: countsOf(counts, fingerprint),
    })
  }
  return 0
}

/** Every step may be interrupted; the same command without `--new` continues. */
async function rotate({ config, store, keyring }: SealedStore, label: string | undefined): Promise<number> {
  if (label !== undefined) {
    if (config.sealKeys !== undefined) {
      return failed(
        'The key ring is in TABIR_SEAL_KEYS: put the new key first there, restart all processes, then rotate without --new.',
        1,
      )
    }
    addSealKey(sealKeyPath(config), label)
    keyring.refresh()
  }
  const { active } = keyring
  await switchToActive(store, keyring, Date.now())
  const others = await waitForOthers(store, active.fingerprint)
  if (others > 0) {
    process.stderr.write(`${others} processes still seal with another key: give them the new key ring, then rotate again.\n`)
  }
  let reportedAtMs = Date.now()
  const { checked, reencrypted } = await reencryptAll(store, keyring, (progress) => {
    if (Date.now() - reportedAtMs < PROGRESS_INTERVAL_MS) return
    reportedAtMs = Date.now()
    process.stderr.write(`${progress.checked} checked, ${progress.reencrypted} re-encrypted\n`)
  })
  await noteInAudit(store, {
    act: 'seal-key.rotated',
    by: 'operator',
    about: { fingerprint: active.fingerprint, records: String(reencrypted) },
    atMs: Date.now(),
  })
  // Until the log is rewritten, it holds records sealed under the old key.
  const log = await rewriteLog(store, REWRITE_TIMEOUT_MS)
  printJson({ id: active.label, fingerprint: active.fingerprint, checked, reencrypted, otherProcesses: others, log })
  return others > 0 ? 1 : 0
}

/** @returns how many processes still seal with another key when the time is over. */
async function waitForOthers(store: Store, fingerprint: string): Promise<number> {
  const endMs = Date.now() + SWITCH_TIMEOUT_MS
  for (;;) {
    const others = [...(await sealKeyUsers(store)).values()].filter((used) => used !== fingerprint).length
    if (others === 0 || Date.now() > endMs) return others
    await sleep(POLL_MS)
  }
}

async function retire(opened: SealedStore, { id, backups, isConfirmed }: Retirement): Promise<number> {
  const { config, store, keyring } = opened
  const key = keyring.named.find(({ label, fingerprint }) => label === id || fingerprint === id)
  if (key === undefined) return failed('There is no such key in the ring.', 1)
  const { label, fingerprint } = key
  const isActive = fingerprint === keyring.active.fingerprint || fingerprint === (await keyToSealWith(store))
  if (isActive) return failed('This key is active: rotate to another one first.', 1)
  const users = [...(await sealKeyUsers(store)).values()].filter((used) => used === fingerprint).length
  if (users > 0) return failed(`${users} processes still seal with this key. Nothing was changed.`, 1)
  const sealed = countsOf(await census(store, keyring), fingerprint)
  const total = Object.values(sealed).reduce((sum, count) => sum + count, 0)
  if (total > 0) return failed(`${total} records are still sealed under this key: rotate first. Nothing was changed.`, 1)
  let found: readonly SealedUnder[]
  try {
    found = await sealedUnder(key, { store, dataDir: config.dataDir, backups })
  } catch (error) {
    return failed(`A folder of backups cannot be read (${error instanceof Error ? error.message : 'unknown reason'}).`, 1)
  }
  reportBackups(label, found)
  if (!isConfirmed && !(await confirms(label))) return failed('Nothing was changed.', 1)
  await forgetKey(store, fingerprint, Date.now())
  if (config.sealKeys === undefined) dropSealKey(sealKeyPath(config), fingerprint)
  else process.stderr.write('Remove the key from TABIR_SEAL_KEYS before the next start.\n')
  const countOf = (kind: SealedUnder['kind']) => found.filter((each) => each.kind === kind).length
  printJson({ id: label, fingerprint, retired: true, backups: countOf('backup'), snapshots: countOf('snapshot') })
  return 0
}

function reportBackups(label: string, found: readonly SealedUnder[]): void {
  const shown = found.slice(0, MAX_SHOWN).map(({ kind, what }) => `  ${kind} ${plainText(what)}`)
  if (found.length > shown.length) shown.push(`  and ${found.length - shown.length} more`)
  const lines =
    found.length === 0
      ? [`No known backup or snapshot is sealed under ${label}.`]
      : [`Sealed under ${label}, and unreadable without it:`, ...shown]
  process.stderr.write(
    `${lines.join('\n')}\nCopies elsewhere may be sealed under it too. Keep the key for every backup that you may want to restore.\n`,
  )
}

async function confirms(label: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    process.stderr.write('No terminal to ask on: use --yes.\n')
    return false
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await prompt.question(`Retire ${label}? Type its name to confirm: `)).trim() === label
  } finally {
    prompt.close()
  }
}

function countsOf(counts: Census, fingerprint: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([place, ofPlace]) => {
      const count = ownValue(ofPlace, fingerprint) ?? 0
      return count === 0 ? [] : [[place, count]]
    }),
  )
}
