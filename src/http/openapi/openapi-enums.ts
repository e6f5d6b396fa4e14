// Lists of words as schemas of their own in the description: generators make a type with a name of each, where they would number them.

import { BANK_PURPOSES } from '../../../packages/core/src/matching/bank.js'
import { DISTANCE_BANDS, GRADES, INLIER_BANDS } from '../../../packages/core/src/matching/grade.js'
import { EVIDENCE, GRADINGS } from '../../../packages/core/src/matching/registry-size.js'
import { CATEGORY_NAMES, TIER_NAMES, VIEW_NAMES } from '../../../packages/core/src/matching/signal.js'
import { ROW_TYPES, SIGNAL_TYPE_NAMES } from '../../../packages/core/src/matching/signal-types.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { APPEAL_STATES } from '../../domain/cases/appeal.js'
import { CONSENT_KINDS } from '../../domain/cases/assistance.js'
import { CASE_STATES } from '../../domain/cases/case.js'
import { CASE_EVENT_KINDS, PLATFORM_BUCKETS } from '../../domain/cases/case-event.js'
import { LAWS, STAGES, STATEMENTS } from '../../domain/cases/sla.js'
import { NOT_READY_REASONS } from '../../domain/not-ready.js'
import { ORG_KINDS, SCOPES } from '../../domain/organisations/access.js'
import { FILE_FORMATS, IMPORT_STATES, RECORD_REJECTIONS } from '../../domain/organisations/bank-import.js'
import { EVENT_KINDS } from '../../domain/organisations/event.js'
import { EXCHANGE_APIS, PULL_FAILURES, PULL_STATES } from '../../domain/organisations/exchange.js'
import { RECONCILE_FAILURES, RECONCILE_STATES } from '../../domain/organisations/reconciler.js'
import { DELIVERY_STATES, WEBHOOK_EVENT_NAMES } from '../../domain/organisations/webhook.js'
import { PROBLEM_CODES } from '../../domain/problem.js'
import { CIRCULATIONS, HOLD_CAUSES } from '../../domain/trust/quarantine.js'
import { RECOGNITIONS } from '../../domain/trust/recognition.js'
import { DISPUTE_ANSWERS, DISPUTE_REASONS, DISPUTE_STATES } from '../../domain/trust/trust.js'
import { VERDICTS } from '../../domain/trust/verdict.js'
import { EXPORT_FORMATS } from '../../exchange/signal-writer.js'
import { REMAINING_CONTENT, REMAINING_PLACES } from '../../services/cases/receipts.js'
import { DEPTHS } from '../../services/matching/match.js'
import { HASHING_STATES, WITHDRAWAL_NOTING } from '../../services/ops/health.js'
import { FRAME_SIGNAL_TYPES } from '../given-videos.js'
import { RegisteredState } from '../schemas.js'

const LISTS: Readonly<Record<string, readonly string[]>> = {
  BankPurpose: BANK_PURPOSES,
  ActingAs: ['self', 'representative'],
  AppealState: APPEAL_STATES,
  CaseEnd: ['withdrawn', 'expired'],
  CaseEventKind: CASE_EVENT_KINDS,
  CaseState: CASE_STATES,
  Category: CATEGORY_NAMES,
  Circulation: CIRCULATIONS,
  ConsentKind: CONSENT_KINDS,
  DeliveryState: DELIVERY_STATES,
  Depth: DEPTHS,
  Durability: ['fsync', 'unknown', 'none'],
  DisputeAnswer: DISPUTE_ANSWERS,
  DisputeReason: DISPUTE_REASONS,
  DisputeState: DISPUTE_STATES,
  DistanceBand: DISTANCE_BANDS,
  EventKind: EVENT_KINDS,
  Evidence: EVIDENCE,
  ExchangeApi: EXCHANGE_APIS,
  ExportFormat: EXPORT_FORMATS,
  FileFormat: FILE_FORMATS,
  FrameSignalType: FRAME_SIGNAL_TYPES,
  Grade: GRADES,
  Grading: GRADINGS,
  HoldCause: HOLD_CAUSES,
  ImportState: IMPORT_STATES,
  InlierBand: INLIER_BANDS,
  Law: LAWS,
  LegalStage: STAGES,
  NotReadyReason: NOT_READY_REASONS,
  NoticeStatement: STATEMENTS,
  OrganisationKind: ORG_KINDS,
  PlatformCount: PLATFORM_BUCKETS,
  ProblemCode: PROBLEM_CODES,
  PullFailure: PULL_FAILURES,
  PullState: PULL_STATES,
  Recognition: RECOGNITIONS,
  ReconcileFailure: RECONCILE_FAILURES,
  ReconcileState: RECONCILE_STATES,
  RecordRejection: RECORD_REJECTIONS,
  RegisteredState: RegisteredState.options,
  RowType: ROW_TYPES,
  Scope: SCOPES,
  SignalSource: ['case', 'bank'],
  SignalType: SIGNAL_TYPE_NAMES,
  Switch: ['true', 'false'],
  Tier: TIER_NAMES,
  RemainingContent: REMAINING_CONTENT,
  RemainingPlace: REMAINING_PLACES,
  Transform: transforms.map(({ name }) => name),
  Verdict: VERDICTS,
  View: VIEW_NAMES,
  WebhookEvent: WEBHOOK_EVENT_NAMES,
  HashingState: HASHING_STATES,
  WithdrawalNoting: WITHDRAWAL_NOTING,
}

const NAMES = new Map(Object.entries(LISTS).map(([name, words]) => [JSON.stringify(words), name]))

/** Replaces each named list by a reference. Keeps the keywords beside it, such as a description. */
export function withNamedLists<T extends object>(description: T): T {
  const used = new Set<string>()
  Object.assign(description, walk(description, used))
  const components = 'components' in description ? Object(description.components) : {}
  const lists = Object.entries(LISTS).filter(([name]) => used.has(name))
  const schemas = Object.fromEntries(lists.map(([name, words]) => [name, { type: 'string', enum: [...words] }]))
  Object.assign(components.schemas, schemas)
  return description
}

function walk(value: unknown, used: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => walk(each, used))
  if (typeof value !== 'object' || value === null) return value
  const { type, enum: words, ...rest } = value as Readonly<Record<string, unknown>>
  const name = type === 'string' && Array.isArray(words) ? NAMES.get(JSON.stringify(words)) : undefined
  if (name === undefined) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, used)]))
  used.add(name)
  return { $ref: `#/components/schemas/${name}`, ...rest }
}
