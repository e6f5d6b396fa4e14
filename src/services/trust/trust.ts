// What those who meet a signal say about it, and what becomes of it. Every change is on disk, and known here, when it returns.

import type { Clock } from '../../domain/cases/sla.js'
import type { Category, RegisteredImage, Tier } from '../../domain/matching/signal.js'
import type { Caller, OrgKind } from '../../domain/organisations/access.js'
import type { AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import { CASES_BANK_NAME } from '../../domain/organisations/bank.js'
import type { PagePlace } from '../../domain/page-place.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { type Support, tierOf } from '../../domain/trust/tier.js'
import {
  act,
  type Circulation,
  type DisputeAnswer,
  type DisputeOutcome,
  type DisputeReason,
  type DisputeState,
  type HoldCause,
  type QuarantineCause,
  standingOf,
  supportOf,
  type Trust,
  type TrustAction,
  type Verdict,
  verdictOf,
} from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import { untilUnchanged } from '../../store/redis/latest.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { OwnCase } from '../cases/case-access.js'
import { refuseEnded } from '../cases/cases.js'
import type { Replica } from '../index/replica.js'
import type { RefusalOf } from '../intake/resubmission-block.js'
import { type DueError, forEachDue, isTransient } from '../load/each-due.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { PartyOf } from './parties.js'

/** How much a signal is worth to somebody who acts on it. Numbers of organisations, and no names. */
export interface SignalWorth extends Support {
  readonly tier: Tier
  readonly disputed: boolean
  readonly dispute: DisputeState
  readonly reasons: readonly DisputeReason[]
  readonly source: 'case' | 'bank'
  readonly category: Category | undefined
  readonly registeredAtMs: number
}

/** The same for the organisation that was told of a match. */
export interface MatchWorth extends SignalWorth {
  readonly matchId: string
  /** Its own decision. */
  readonly verdict: Verdict | undefined
  /** Those that run for it because of a notice, the next due first. */
  readonly clocks: readonly Clock[]
}

/** The same for an operator, who decides. */
export interface JudgedSignal extends SignalWorth {
  readonly signalId: string
  readonly bank: string
  readonly circulation: Circulation
  readonly heldFor: HoldCause | undefined
  /** [Unix seconds] by its owner; 0 for not by itself; `undefined` for not paused. */
  readonly pausedUntilS: number | undefined
  readonly disputedAtMs: number | undefined
  readonly decidedAtMs: number | undefined
  readonly answer: DisputeAnswer | undefined
  readonly heldAtMs: number | undefined
}

/** What was said, before and after: for what else has to know. Told when it is on disk. */
export interface TrustChange {
  readonly imageId: string
  readonly image: RegisteredImage
  readonly action: TrustAction
  readonly before: Trust
  readonly after: Trust
  /** The organisation that acted; `undefined` when it was Tabir itself, or its operator at the command line. */
  readonly orgId: string | undefined
  readonly atMs: number
}

export type Feedback =
  | { readonly verdict: Exclude<Verdict, 'disputed'> }
  | { readonly verdict: 'disputed'; readonly reason: DisputeReason }

export interface TrustService {
  /** @throws {Problem} match-unknown: no such id, another tenant's, or the picture is gone. */
  match(caller: Caller, matchId: string): Promise<MatchWorth>
  /**
   * What an organisation decided about a match. Saying it again changes nothing.
   * @throws {Problem} match-unknown, feedback-conflict, dispute-settled, signal-invalidated
   */
  feedback(caller: Caller, matchId: string, feedback: Feedback): Promise<MatchWorth>
  /** An NGO vouches for what it met. @throws {Problem} match-unknown, organisation-kind-forbidden, signal-invalidated */
  attest(caller: Caller, matchId: string): Promise<MatchWorth>

  /** For operators, by the id of the image. `by`: who is recorded; the operator at the command line unless it is given. @throws {Problem} signal-unknown */
  signal(signalId: string): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, dispute-settled, signal-invalidated */
  dispute(caller: Caller | undefined, signalId: string, reason: DisputeReason): Promise<JudgedSignal>
  /**
   * What the submitter says to the dispute, or the organisation that acts for her, until it hands the case over.
   * @throws {Problem} signal-unknown, also for a picture of another case; case-unknown, dispute-not-open, signal-invalidated
   */
  answer(own: OwnCase, signalId: string, answer: DisputeAnswer, by: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, dispute-not-open */
  decide(signalId: string, outcome: DisputeOutcome, by?: AuditActor): Promise<JudgedSignal>
  /** Takes back that a dispute was upheld: it matches again, its account loses the strike. Saying it again changes nothing. @throws {Problem} signal-unknown, signal-not-invalidated */
  reinstate(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  verify(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  hold(
    signalId: string,
    why: { readonly cause: QuarantineCause; readonly flood: number },
    by?: AuditActor,
  ): Promise<JudgedSignal>
  /** A flood no greater than the one it was held for does not bring it back. @throws {Problem} signal-unknown, quarantine-conflict, signal-invalidated */
  release(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /**
   * For the owner of a bank: kept, and matching nothing until its owner, or the clock, lets it match again. It is apart from the quarantine.
   * @param untilS [Unix seconds] 0 for not by itself. @throws {Problem} signal-unknown, signal-invalidated
   */
  pause(signalId: string, untilS: number, by: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  resume(signalId: string, by: AuditActor): Promise<JudgedSignal>
  /** By the clock. A pause that was changed meanwhile, and is not over, stays. @throws {Problem} signal-unknown */
  resumeIfDue(signalId: string): Promise<JudgedSignal>
  /** A page of those that wait for an operator, longest first. */
  waiting(list: 'disputes' | 'quarantine', after: PagePlace | undefined, limit: number): Promise<WaitingPage>
}

export interface WaitingPage {
  readonly signals: readonly JudgedSignal[]
  /** Where the next page begins; `undefined` at the end. */
  readonly next: PagePlace | undefined
}

export type OwnerOf = (image: RegisteredImage) => Promise<string | undefined>

export interface TrustParts {
  readonly trusts: Trusts
  readonly images: Images
  readonly apiKeys: Pick<ApiKeys, 'org'>
  readonly replica: Pick<Replica, 'reached'>
  /** The organisation that handed an image in: its own word for it counts for nothing more. */
  readonly ownerOf: OwnerOf
  /** May this organisation know of the bank of this name? A match id is worth nothing to one that may no longer. */
  readonly mayKnow: (bank: string, orgId: string) => boolean
  readonly matchIds: MatchIds
  readonly partyOf: PartyOf
  readonly clocksOf: (imageId: string, orgId: string) => Promise<readonly Clock[]>
  readonly refusalOf: RefusalOf
  readonly now: () => number
  /** Told of each change in turn, and of a decision also when it is said again: so that what a crash cut off is made up for. */
  readonly onChange: (change: TrustChange) => Promise<void>
  /** Told of signals that wait and cannot be read. */
  readonly onTrouble?: (error: DueError) => void
}

const WAITING_AT_ONCE = 50

export function trustOver({
  trusts,
  images,
  apiKeys,
  replica,
  ownerOf,
  mayKnow,
  matchIds,
  partyOf,
  clocksOf,
  refusalOf,
  now,
  onChange,
  onTrouble = () => {},
}: TrustParts): TrustService {
  /** What was said is read first: it goes with the picture, and read after that it could be nothing of a picture that was there. */
  async function read(imageId: string | undefined, unknown: ProblemCode) {
    if (imageId === undefined) throw new Problem(unknown)
    const said = await trusts.get(imageId)
    const [image] = await images.get([imageId])
    if (image === undefined) throw new Problem(unknown)
    return { imageId, image, ...said }
  }

  /** The picture behind a match id of this organisation. */
  const readMatch = async (orgId: string, matchId: string) => {
    const found = await read(matchIds.imageOf(orgId, matchId), 'match-unknown')
    if (!mayKnow(found.image.bank, orgId)) throw new Problem('match-unknown')
    return found
  }

  /** Reads, lets the rules decide, writes if nobody was faster; else once more. */
  async function change(
    imageId: string | undefined,
    orgId: string | undefined,
    by: AuditActor,
    unknown: ProblemCode,
    actionOn: (imageId: string) => TrustAction,
    helpedCase?: string,
  ): Promise<{ readonly imageId: string; readonly image: RegisteredImage; readonly trust: Trust }> {
    for (const again = untilUnchanged(); ; await again()) {
      const found = await read(imageId, unknown)
      const action = actionOn(found.imageId)
      const atMs = now()
      const after = act(found.trust, action, atMs)
      if (typeof after === 'string') throw new Problem(after)
      const told = { imageId: found.imageId, image: found.image, action, before: found.trust, after, orgId, atMs }
      if (after === found.trust) {
        if (action.kind === 'decide' || action.kind === 'reinstate') await onChange(told)
        return { ...found, trust: after }
      }
      const outcome = await trusts.put(found.imageId, found.version, after, standingOf(after), {
        entry: entryOf(action, found.imageId, by, atMs),
        refusal: await refusalFor(found.image, found.trust, after, atMs),
        helpedCase,
      })
      if (outcome === 'image-unknown') throw new Problem(unknown)
      if (outcome === 'handed-over') throw new Problem('case-unknown')
      if (outcome === 'changed-meanwhile') continue
      await replica.reached(outcome.revision)
      await onChange(told)
      return { imageId: found.imageId, image: found.image, trust: after }
    }
  }

  /** With the decision, in its step: from then on its owner cannot hand it in again, whatever becomes of this signal. */
  const refusalFor = async (image: RegisteredImage, before: Trust, after: Trust, atMs: number) => {
    const isInvalidated = after.circulation === 'invalidated'
    if (isInvalidated === (before.circulation === 'invalidated')) return undefined
    const invalidatedAs = standingOf(after).harmless ? 'harmless' : 'invalidated'
    return refusalOf(image, await ownerOf(image), isInvalidated ? invalidatedAs : 'reinstated', atMs)
  }

  const worthTo = async (
    orgId: string,
    matchId: string,
    { imageId, image, trust }: { readonly imageId: string; readonly image: RegisteredImage; readonly trust: Trust },
  ): Promise<MatchWorth> => {
    const clocks = await clocksOf(imageId, orgId)
    return { matchId, verdict: verdictOf(trust, partyOf(orgId, imageId)), clocks, ...worthOf(image, trust) }
  }

  const changeMatch = async (caller: Caller, matchId: string, actionOn: (party: string) => TrustAction) => {
    const { orgId, keyId } = caller
    await readMatch(orgId, matchId)
    const asked = matchIds.imageOf(orgId, matchId)
    const { imageId, image, trust } = await change(asked, orgId, `key:${keyId}`, 'match-unknown', (id) =>
      actionOn(partyOf(orgId, id)),
    )
    return await worthTo(orgId, matchId, { imageId, image, trust })
  }

  const changeSignal = async (signalId: string, action: TrustAction, by: AuditActor, orgId?: string) => {
    const { imageId, image, trust } = await change(signalId, orgId, by, 'signal-unknown', () => action)
    return judged(imageId, image, trust)
  }

  const kindOf = async (orgId: string): Promise<OrgKind | undefined> => (await apiKeys.org(orgId))?.kind

  return {
    async match({ orgId }, matchId) {
      return await worthTo(orgId, matchId, await readMatch(orgId, matchId))
    },
    async feedback(caller, matchId, said) {
      const { image } = await readMatch(caller.orgId, matchId)
      const counts = (await kindOf(caller.orgId)) === 'platform' && (await ownerOf(image)) !== caller.orgId
      return await changeMatch(caller, matchId, (party) =>
        said.verdict === 'disputed'
          ? { kind: 'dispute', party, reason: said.reason, counts }
          : { kind: 'verdict', party, verdict: said.verdict, counts },
      )
    },
    async attest(caller, matchId) {
      if ((await kindOf(caller.orgId)) !== 'ngo') throw new Problem('organisation-kind-forbidden')
      const own = await readMatch(caller.orgId, matchId)
      // What it vouched for when it handed it in does not count twice.
      const vouchedFor = own.image.tier === 'ngo-attested' && (await ownerOf(own.image)) === caller.orgId
      if (vouchedFor) return await worthTo(caller.orgId, matchId, own)
      return await changeMatch(caller, matchId, (party) => ({ kind: 'attest', party }))
    },

    async signal(signalId) {
      const { imageId, image, trust } = await read(signalId, 'signal-unknown')
      return judged(imageId, image, trust)
    },
    dispute: (caller, signalId, reason) =>
      changeSignal(
        signalId,
        { kind: 'dispute', party: partyOf(caller?.orgId ?? 'operator', signalId), reason, counts: false },
        caller === undefined ? 'operator' : `key:${caller.keyId}`,
        caller?.orgId,
      ),
    async answer(own, signalId, answer, by) {
      refuseEnded(own, now())
      const { image } = await read(signalId, 'signal-unknown')
      if (image.caseId !== own.caseId) throw new Problem('signal-unknown')
      const helpedCase = own.by === 'organisation' ? own.caseId : undefined
      const answered = await change(
        signalId,
        undefined,
        by,
        'signal-unknown',
        () => ({ kind: 'answer', answer }),
        helpedCase,
      )
      return judged(answered.imageId, answered.image, answered.trust)
    },
    decide: (signalId, outcome, by = 'operator') => changeSignal(signalId, { kind: 'decide', outcome }, by),
    reinstate: (signalId, by = 'operator') => changeSignal(signalId, { kind: 'reinstate' }, by),
    verify: (signalId, by = 'operator') => changeSignal(signalId, { kind: 'verify' }, by),
    hold: (signalId, why, by = why.cause === 'flood' ? 'tabir' : 'operator') =>
      changeSignal(signalId, { kind: 'hold', ...why }, by),
    release: (signalId, by = 'operator') => changeSignal(signalId, { kind: 'release' }, by),
    pause: (signalId, untilS, by) => changeSignal(signalId, { kind: 'pause', untilS }, by),
    resume: (signalId, by) => changeSignal(signalId, { kind: 'resume' }, by),
    resumeIfDue: (signalId) => changeSignal(signalId, { kind: 'resume', ifDue: true }, 'tabir'),
    async waiting(list, after, limit) {
      const page = await trusts.waiting(list, after, limit)
      const found = new Map<string, JudgedSignal>()
      await forEachDue({
        what: `signals of ${list}`,
        take: page,
        async handle({ imageId }) {
          if (imageId === undefined) throw new Error('what waits is no signal')
          const { trust } = await trusts.get(imageId)
          const [image] = await images.get([imageId])
          if (image !== undefined) found.set(imageId, judged(imageId, image, trust))
        },
        atOnce: WAITING_AT_ONCE,
        onError: onTrouble,
        isNotTheEntrys: isTransient,
      })
      const signals = page.flatMap(({ imageId = '' }) => found.get(imageId) ?? [])
      return { signals, next: page.length < limit ? undefined : page.at(-1)?.place }
    },
  }
}

/** What is recorded of an action, in the same step. Verdicts of platforms are many, and are kept as counts. */
function entryOf(action: TrustAction, signalId: string, by: AuditActor, atMs: number): AuditEntry | undefined {
  switch (action.kind) {
    case 'verdict':
      return undefined
    case 'dispute':
      return { act: 'signal.disputed', by, about: { signalId, reason: action.reason }, atMs }
    case 'attest':
      return { act: 'signal.attested', by, about: { signalId }, atMs }
    case 'verify':
      return { act: 'signal.verified', by, about: { signalId }, atMs }
    case 'answer':
      return { act: 'dispute.answered', by, about: { signalId, answer: action.answer }, atMs }
    case 'decide':
      return { act: 'dispute.decided', by, about: { signalId, outcome: action.outcome }, atMs }
    case 'reinstate':
      return { act: 'dispute.reversed', by, about: { signalId }, atMs }
    case 'hold':
      return { act: 'signal.held', by, about: { signalId, cause: action.cause }, atMs }
    case 'pause':
      return { act: 'signal.held', by, about: { signalId, cause: 'owner' }, atMs }
    case 'release':
    case 'resume':
      return { act: 'signal.released', by, about: { signalId }, atMs }
  }
}

function worthOf(image: RegisteredImage, trust: Trust): SignalWorth {
  const support = supportOf(trust)
  return {
    ...support,
    tier: tierOf(image.tier, support),
    disputed: trust.dispute === 'open',
    dispute: trust.dispute,
    reasons: trust.reasons,
    source: image.bank === CASES_BANK_NAME ? 'case' : 'bank',
    category: image.category,
    registeredAtMs: image.createdAtMs,
  }
}

function judged(signalId: string, image: RegisteredImage, trust: Trust): JudgedSignal {
  const { circulation, heldFor, heldAtMs, pause, disputedAtMs, decidedAtMs, answer } = trust
  const isPaused = circulation === 'held' && pause !== undefined
  return {
    signalId,
    bank: image.bank,
    circulation,
    heldFor: heldFor ?? (isPaused ? 'owner' : undefined),
    heldAtMs: heldAtMs ?? (isPaused ? pause.atMs : undefined),
    pausedUntilS: pause?.untilS,
    disputedAtMs,
    decidedAtMs,
    answer,
    ...worthOf(image, trust),
  }
}
