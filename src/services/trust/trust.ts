// Verdicts, attestations, disputes and holds of signals. Every change is on disk and applied in this process when its method returns.

import type { Deadline } from '../../domain/cases/sla.js'
import type { Caller } from '../../domain/organisations/access.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import type { HoldReason } from '../../domain/trust/quarantine.js'
import {
  type DisputeAnswer,
  type DisputeOutcome,
  type DisputeReason,
  type TrustAction,
  verdictOf,
} from '../../domain/trust/trust.js'
import type { Verdict } from '../../domain/trust/verdict.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { OwnCase } from '../cases/case-access.js'
import { refuseEnded } from '../cases/case-changes.js'
import { type DueError, forEachDue, isTransient } from '../load/each-due.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { PseudonymOf } from './pseudonyms.js'
import { type JudgedSignal, judged, type MatchTrust, signalTrustOf } from './signal-trust.js'
import {
  changeSignal,
  type RequestedChange,
  readSignal,
  type SignalWithTrust,
  type TrustChangeParts,
} from './trust-changes.js'

export type Feedback =
  | { readonly verdict: Exclude<Verdict, 'disputed'> }
  | { readonly verdict: 'disputed'; readonly reason: DisputeReason }

export interface TrustService {
  /** A matched signal. @throws {Problem} match-unknown for an unknown id, another organisation's id, and an image that no longer exists. */
  match(caller: Caller, matchId: string): Promise<MatchTrust>
  /**
   * Records an organisation's verdict about a match. Repeating it changes nothing.
   * @throws {Problem} match-unknown, feedback-conflict, dispute-settled, signal-invalidated
   */
  feedback(caller: Caller, matchId: string, feedback: Feedback): Promise<MatchTrust>
  /** Attests a signal that an NGO got a match of. @throws {Problem} match-unknown, organisation-kind-forbidden, signal-invalidated */
  attest(caller: Caller, matchId: string): Promise<MatchTrust>

  /**
   * A signal. Here and below, `signalId` is the id of the image, and `by` is the actor for the audit log (by default the operator at the command
   * line).
   * @throws {Problem} signal-unknown
   */
  signal(signalId: string): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, dispute-settled, signal-invalidated */
  dispute(caller: Caller | undefined, signalId: string, reason: DisputeReason): Promise<JudgedSignal>
  /**
   * Answers a dispute on the submitter's behalf. An assisting organisation may do so until it hands the case over.
   * @throws {Problem} signal-unknown, also for a picture of another case; case-unknown, dispute-not-open, signal-invalidated
   */
  answer(own: OwnCase, signalId: string, answer: DisputeAnswer, by: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, dispute-not-open */
  decide(signalId: string, outcome: DisputeOutcome, by?: AuditActor): Promise<JudgedSignal>
  /**
   * Reverses an upheld dispute: the signal matches again, and the strike is withdrawn. Repeating it changes nothing.
   * @throws {Problem} signal-unknown, signal-not-invalidated
   */
  reinstate(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  verify(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  hold(signalId: string, why: HoldReason, by?: AuditActor): Promise<JudgedSignal>
  /**
   * Releases a signal from quarantine. Only a flood more than twice as high as the one that caused it quarantines it again.
   * @throws {Problem} signal-unknown, quarantine-conflict, signal-invalidated
   */
  release(signalId: string, by?: AuditActor): Promise<JudgedSignal>
  /**
   * Pauses a signal for the owner of its bank: it matches nothing until the owner resumes it, or until `untilS`. Independent of the quarantine.
   * @param untilS [Unix seconds] 0 for no end.
   * @throws {Problem} signal-unknown, signal-invalidated
   */
  pause(signalId: string, untilS: number, by: AuditActor): Promise<JudgedSignal>
  /** @throws {Problem} signal-unknown, signal-invalidated */
  resume(signalId: string, by: AuditActor): Promise<JudgedSignal>
  /** Resumes a signal whose pause has ended. A pause that was extended meanwhile continues. @throws {Problem} signal-unknown */
  resumeIfDue(signalId: string): Promise<JudgedSignal>
  /** A page of the signals that wait for an operator, longest waiting first. */
  waiting(list: 'disputes' | 'quarantine', after: PageCursor | undefined, limit: number): Promise<WaitingPage>
}

export interface WaitingPage {
  readonly signals: readonly JudgedSignal[]
  /** Cursor of the next page; `undefined` on the last page. */
  readonly next: PageCursor | undefined
}

export interface TrustParts extends TrustChangeParts {
  readonly apiKeys: Pick<ApiKeys, 'org'>
  /** Whether this organisation may see the bank. If not, its match ids for the bank are unknown. */
  readonly mayKnow: (bank: string, orgId: string) => boolean
  readonly matchIds: MatchIds
  readonly pseudonymOf: PseudonymOf
  readonly deadlinesOf: (imageId: string, orgId: string) => Promise<readonly Deadline[]>
  /** Called when waiting signals cannot be read. */
  readonly onError?: (error: DueError) => void
}

const WAITING_AT_ONCE = 50

export function createTrust(parts: TrustParts): TrustService {
  return { ...matchMethods(parts), ...signalMethods(parts), ...disputeMethods(parts), waiting: waitingIn(parts) }
}

/** Methods for organisations, by match id. */
function matchMethods(parts: TrustParts): Pick<TrustService, 'match' | 'feedback' | 'attest'> {
  const { apiKeys, ownerOf, mayKnow, matchIds, pseudonymOf, deadlinesOf } = parts
  const kindOf = async (orgId: string) => (await apiKeys.org(orgId))?.kind
  const readMatch = async (orgId: string, matchId: string) => {
    const found = await readSignal(parts, matchIds.imageOf(orgId, matchId), 'match-unknown')
    if (!mayKnow(found.image.bank, orgId)) throw new Problem('match-unknown')
    return found
  }
  const matchTrustOf = async (
    orgId: string,
    matchId: string,
    { imageId, image, trust }: SignalWithTrust,
  ): Promise<MatchTrust> => {
    const deadlines = await deadlinesOf(imageId, orgId)
    return { matchId, verdict: verdictOf(trust, pseudonymOf(orgId, imageId)), deadlines, ...signalTrustOf(image, trust) }
  }
  const change = async ({ orgId, keyId }: Caller, matchId: string, actionOf: (pseudonym: string) => TrustAction) => {
    const { imageId } = await readMatch(orgId, matchId)
    const action = actionOf(pseudonymOf(orgId, imageId))
    const changed = await changeSignal(parts, { imageId, orgId, by: `key:${keyId}`, unknown: 'match-unknown', action })
    return await matchTrustOf(orgId, matchId, changed)
  }

  return {
    async match({ orgId }, matchId) {
      return await matchTrustOf(orgId, matchId, await readMatch(orgId, matchId))
    },
    async feedback(caller, matchId, said) {
      const { image } = await readMatch(caller.orgId, matchId)
      const counts = (await kindOf(caller.orgId)) === 'platform' && (await ownerOf(image)) !== caller.orgId
      return await change(caller, matchId, (pseudonym) =>
        said.verdict === 'disputed'
          ? { kind: 'dispute', pseudonym, reason: said.reason, counts }
          : { kind: 'verdict', pseudonym, verdict: said.verdict, counts },
      )
    },
    async attest(caller, matchId) {
      if ((await kindOf(caller.orgId)) !== 'ngo') throw new Problem('organisation-kind-forbidden')
      const own = await readMatch(caller.orgId, matchId)
      // A signal that the NGO registered as attested is attested already.
      const isAttested = own.image.tier === 'ngo-attested' && (await ownerOf(own.image)) === caller.orgId
      if (isAttested) return await matchTrustOf(caller.orgId, matchId, own)
      return await change(caller, matchId, (pseudonym) => ({ kind: 'attest', pseudonym }))
    },
  }
}

type SignalMethod = 'signal' | 'verify' | 'hold' | 'release' | 'pause' | 'resume' | 'resumeIfDue'

/** Methods for operators and owners of banks, by the id of the image. */
function signalMethods(parts: TrustParts): Pick<TrustService, SignalMethod> {
  const change = changeIn(parts)
  return {
    async signal(signalId) {
      return judgedAs(await readSignal(parts, signalId, 'signal-unknown'))
    },
    verify: (signalId, by = 'operator') => change(signalId, { kind: 'verify' }, by),
    hold: (signalId, why, by = why.cause === 'operator' ? 'operator' : 'tabir') =>
      change(signalId, { kind: 'hold', ...why }, by),
    release: (signalId, by = 'operator') => change(signalId, { kind: 'release' }, by),
    pause: (signalId, untilS, by) => change(signalId, { kind: 'pause', untilS }, by),
    resume: (signalId, by) => change(signalId, { kind: 'resume' }, by),
    resumeIfDue: (signalId) => change(signalId, { kind: 'resume', ifDue: true }, 'tabir'),
  }
}

/** Opens, answers and decides disputes, and reverses decisions. */
function disputeMethods(parts: TrustParts): Pick<TrustService, 'dispute' | 'answer' | 'decide' | 'reinstate'> {
  const change = changeIn(parts)
  return {
    dispute: (caller, signalId, reason) =>
      change(
        signalId,
        { kind: 'dispute', pseudonym: parts.pseudonymOf(caller?.orgId ?? 'operator', signalId), reason, counts: false },
        caller === undefined ? 'operator' : `key:${caller.keyId}`,
        { orgId: caller?.orgId },
      ),
    async answer(own, signalId, answer, by) {
      refuseEnded(own, parts.now())
      const { image } = await readSignal(parts, signalId, 'signal-unknown')
      if (image.caseId !== own.caseId) throw new Problem('signal-unknown')
      const assistedCase = own.by === 'organisation' ? own.caseId : undefined
      return await change(signalId, { kind: 'answer', answer }, by, { assistedCase })
    },
    decide: (signalId, outcome, by = 'operator') => change(signalId, { kind: 'decide', outcome }, by),
    reinstate: (signalId, by = 'operator') => change(signalId, { kind: 'reinstate' }, by),
  }
}

function changeIn(parts: TrustParts) {
  return async (
    imageId: string,
    action: TrustAction,
    by: AuditActor,
    rest: Pick<RequestedChange, 'orgId' | 'assistedCase'> = {},
  ): Promise<JudgedSignal> =>
    judgedAs(await changeSignal(parts, { imageId, action, by, unknown: 'signal-unknown', ...rest }))
}

function waitingIn({ trusts, images, onError = () => {} }: TrustParts): TrustService['waiting'] {
  return async (list, after, limit) => {
    const page = await trusts.waiting(list, after, limit)
    const found = new Map<string, JudgedSignal>()
    await forEachDue({
      what: `signals of ${list}`,
      take: page,
      async handle({ imageId }) {
        if (imageId === undefined) throw new Error('a waiting signal cannot be read')
        const { trust } = await trusts.get(imageId)
        const [image] = await images.facts([imageId])
        if (image !== undefined) found.set(imageId, judged(imageId, image, trust))
      },
      atOnce: WAITING_AT_ONCE,
      onError,
      isNotAboutTheEntry: isTransient,
    })
    const signals = page.flatMap(({ imageId = '' }) => found.get(imageId) ?? [])
    return { signals, next: page.length < limit ? undefined : page.at(-1)?.cursor }
  }
}

function judgedAs({ imageId, image, trust }: SignalWithTrust): JudgedSignal {
  return judged(imageId, image, trust)
}
