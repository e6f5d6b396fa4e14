// tabir trust disputes | quarantine | show | dispute | decide | take-back | verify | hold | release | strikes | forgive | appeals | appeal | blocks | lift

import { UUID_PATTERN } from '../../packages/core/src/ids.js'
import { BLOCK_ID_PATTERN } from '../domain/cases/appeal.js'
import { messageOf } from '../domain/message-of.js'
import type { PageCursor } from '../domain/page-cursor.js'
import { Problem } from '../domain/problem.js'
import { isAccount } from '../domain/trust/strikes.js'
import { DISPUTE_REASONS } from '../domain/trust/trust.js'
import { PROBLEMS } from '../http/problem-table.js'
import { createBlockChanges } from '../services/intake/resubmission-block.js'
import { createMatchIds } from '../services/matching/match-ids.js'
import { createAccounts } from '../services/trust/accounts.js'
import { type AppealService, createAppeals } from '../services/trust/appeals.js'
import { createDecisionEffects } from '../services/trust/decision-effects.js'
import { createOwners } from '../services/trust/owner-of.js'
import { createPseudonyms } from '../services/trust/pseudonyms.js'
import { createTrust, type TrustService } from '../services/trust/trust.js'
import { createCaseEventStore } from '../store/cases/case-events.js'
import { createCaseStore } from '../store/cases/cases.js'
import { createImageStore } from '../store/images/images.js'
import { createApiKeyStore } from '../store/organisations/api-keys.js'
import { createBankStore } from '../store/organisations/banks.js'
import { connectForFollowing } from '../store/redis/client.js'
import { createAppealStore } from '../store/trust/appeals.js'
import { createStrikeStore } from '../store/trust/strikes.js'
import { createTrustStore } from '../store/trust/trust.js'
import { createEventStore } from '../store/webhooks/events.js'
import { failed, printJson } from './output.js'
import { type SealedStore, withSealedStore } from './sealed-store.js'

const USAGE = `tabir trust disputes | quarantine | strikes
  tabir trust show | verify | hold | release SIGNAL
  tabir trust dispute SIGNAL ${DISPUTE_REASONS.join('|')}
  tabir trust decide SIGNAL upheld|rejected
  tabir trust take-back SIGNAL
  tabir trust forgive ACCOUNT
  tabir trust appeals | blocks
  tabir trust appeal SIGNAL|BLOCK granted|denied
  tabir trust lift BLOCK`
const PAGE = 1000

/** @returns the exit status: 0; 1 on failure or refusal; 2 for wrong arguments */
export async function trust(args: readonly string[]): Promise<number> {
  const work = workFor(args)
  if (work === undefined) return failed(USAGE, 2)
  try {
    for (const row of await withParts(work)) printJson(row)
    return 0
  } catch (error) {
    if (error instanceof Problem) return failed(PROBLEMS[error.code].title, 1)
    return failed(messageOf(error), 1)
  }
}

interface Parts {
  readonly trust: TrustService
  readonly accounts: ReturnType<typeof createAccounts>
  readonly appeals: AppealService
}
type Work = (parts: Parts) => Promise<readonly object[]>

function workFor([verb, subject = '', word, ...rest]: readonly string[]): Work | undefined {
  if (rest.length > 0) return undefined
  if (verb === 'disputes' || verb === 'quarantine') {
    return subject === '' ? ({ trust }) => allWaiting(trust, verb) : undefined
  }
  if (verb === 'strikes') return subject === '' ? ({ accounts }) => allStrikes(accounts) : undefined
  if (verb === 'forgive' && isAccount(subject) && word === undefined) {
    return async ({ accounts }) => {
      await accounts.forgive(subject)
      return [{ account: subject, forgiven: true }]
    }
  }
  const onAppeals = appealWork(verb, subject, word)
  if (onAppeals !== undefined) return onAppeals
  const signalId = subject.toLowerCase()
  if (!UUID_PATTERN.test(signalId)) return undefined
  const onOne = (act: (trust: TrustService) => Promise<object>): Work => {
    return async ({ trust }) => [await act(trust)]
  }
  const reason = DISPUTE_REASONS.find((known) => known === word)
  if (verb === 'dispute') return reason && onOne((trust) => trust.dispute(undefined, signalId, reason))
  if (verb === 'decide') {
    return word === 'upheld' || word === 'rejected' ? onOne((trust) => trust.decide(signalId, word)) : undefined
  }
  if (word !== undefined) return undefined
  if (verb === 'show') return onOne((trust) => trust.signal(signalId))
  if (verb === 'take-back') return onOne((trust) => trust.reinstate(signalId))
  if (verb === 'verify') return onOne((trust) => trust.verify(signalId))
  if (verb === 'hold') return onOne((trust) => trust.hold(signalId, { cause: 'operator', flood: 0 }))
  return verb === 'release' ? onOne((trust) => trust.release(signalId)) : undefined
}

function appealWork(verb: string | undefined, subject: string, word: string | undefined): Work | undefined {
  const isBlock = BLOCK_ID_PATTERN.test(subject)
  if (verb === 'appeals' && subject === '') return ({ appeals }) => allAppeals(appeals)
  if (verb === 'blocks' && subject === '') return ({ appeals }) => allBlocks(appeals)
  if (verb === 'lift' && isBlock && word === undefined)
    return async ({ appeals }) => {
      await appeals.lift(subject, 'operator')
      return [{ blockId: subject, lifted: true }]
    }
  const signalId = subject.toLowerCase()
  if (verb !== 'appeal' || (word !== 'granted' && word !== 'denied')) return undefined
  if (!isBlock && !UUID_PATTERN.test(signalId)) return undefined
  const about = isBlock ? { blockId: subject } : { signalId }
  return async ({ appeals }) => {
    await appeals.decide(about, word, 'operator')
    return [{ ...about, outcome: word }]
  }
}

function withParts<T>(use: (parts: Parts) => Promise<T>): Promise<T> {
  return withSealedStore(async (opened) => use(await partsOver(opened)))
}

interface Page<T> {
  readonly entries: readonly T[]
  readonly next: PageCursor | undefined
}

async function allOf<T>(page: (after: PageCursor | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  for (let after: PageCursor | undefined; ; ) {
    const { entries, next } = await page(after)
    all.push(...entries)
    if (next === undefined) return all
    after = next
  }
}

const allWaiting = (trust: TrustService, list: 'disputes' | 'quarantine') =>
  allOf(async (after) => {
    const { signals, next } = await trust.waiting(list, after, PAGE)
    return { entries: signals, next }
  })

const allStrikes = (accounts: Parts['accounts']) =>
  allOf(async (after) => {
    const page = await accounts.strikes(after, PAGE)
    return { entries: page.accounts, next: page.next }
  })

const allAppeals = (service: AppealService) =>
  allOf(async (after) => {
    const { appeals, next } = await service.waiting(after, PAGE)
    return { entries: appeals.map(({ about, atMs, ...facts }) => ({ ...about, ...facts, madeAtMs: atMs })), next }
  })

const allBlocks = (service: AppealService) =>
  allOf(async (after) => {
    const { blocks, next } = await service.blocks(after, PAGE)
    return { entries: blocks, next }
  })

async function partsOver({ store, keyring, secrets, target }: SealedStore): Promise<Parts> {
  const now = () => Date.now()
  const images = createImageStore(store, keyring)
  const strikes = createStrikeStore(store)
  const banks = new Map((await createBankStore(store).all()).map((bank) => [bank.name, bank]))
  const ownerOf = createOwners(createCaseStore(store), (bank) => banks.get(bank)?.orgId)
  const replica = { reached: async () => {} } // no index here that could lag
  const trusts = createTrustStore(store)
  const events = createEventStore(store)
  const onError = ({ message }: Error) => void process.stderr.write(`${message}\n`)
  const trust = createTrust({
    trusts,
    images,
    apiKeys: createApiKeyStore(store),
    replica,
    ownerOf,
    mayKnow: () => true, // the operator may know every signal
    matchIds: createMatchIds(secrets.matchId),
    pseudonymOf: createPseudonyms(secrets.pseudonym),
    deadlinesOf: async () => [],
    blockChangeOf: createBlockChanges(secrets.signalId),
    now,
    onError,
    onChange: createDecisionEffects({
      notices: { decided: async () => {} }, // no platform decides here, so no deadline ends
      strikes,
      caseEvents: createCaseEventStore(store, () => connectForFollowing(target)),
      ownerOf,
    }),
  })
  return {
    accounts: createAccounts({ events, strikes, now }),
    trust,
    appeals: createAppeals({
      appeals: createAppealStore(store),
      harmlessLike: () => undefined, // no appeal is opened here
      invalidatedSignals: { blockToAppeal: async () => undefined },
      images,
      trusts,
      trust,
      replica,
      events,
      now,
      onError,
    }),
  }
}
