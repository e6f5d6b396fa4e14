// tabir cases end

import { parseArgs } from 'node:util'
import { messageOf } from '../domain/message-of.js'
import { Problem } from '../domain/problem.js'
import { PROBLEMS } from '../http/problem-table.js'
import { createCaseAccess } from '../services/cases/case-access.js'
import { type Cases, type CaseView, createCases } from '../services/cases/cases.js'
import { createStoreTime, laterTime } from '../services/load/due-time.js'
import { createCaseStore } from '../store/cases/cases.js'
import { failed, instantOf, printJson } from './output.js'
import { withSealedStore } from './sealed-store.js'

const USAGE = 'tabir cases end NUMBER [--dry-run]'

/** @returns the exit status: 0; 1 on failure or refusal; 2 for wrong arguments */
export async function cases(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args
  const options = verb === 'end' ? optionsOf(rest) : undefined
  if (options === undefined) return failed(USAGE, 2)
  try {
    printJson(await withCases((service) => end(service, options)))
    return 0
  } catch (error) {
    if (error instanceof Problem) return failed(PROBLEMS[error.code].title, 1)
    return failed(messageOf(error), 1)
  }
}

interface EndOptions {
  readonly caseNumber: string
  readonly isDryRun: boolean
}

function optionsOf(args: string[]): EndOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { 'dry-run': { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [caseNumber, ...more] = positionals
    return caseNumber === undefined || more.length > 0 ? undefined : { caseNumber, isDryRun: values['dry-run'] }
  } catch {
    return undefined
  }
}

async function end(service: Cases, { caseNumber, isDryRun }: EndOptions): Promise<object> {
  const named = await service.byNumber(caseNumber)
  if (isDryRun) return { ...factsOf(await service.view(named)), isDryRun }
  return factsOf(await service.view(await service.wishEndByOperator(named)))
}

/** @returns what identifies the case for the operator, and nothing about its content. */
function factsOf({ caseNumber, state, images, createdAtMs, assistance, endWishAtMs, end: ended }: CaseView): object {
  return {
    caseNumber,
    state,
    images: ended?.images ?? images,
    createdAt: instantOf(createdAtMs),
    orgId: assistance?.orgId,
    handedOverAt: instantOf(assistance?.handedOverAtMs),
    effectiveAt: instantOf(endWishAtMs),
    endedAt: instantOf(ended?.atMs),
  }
}

/** A running service learns of it by the change stream, as of a withdrawal by the submitter. */
function withCases<T>(use: (service: Cases) => Promise<T>): Promise<T> {
  return withSealedStore(async ({ store, secrets }) => {
    const kept = createCaseStore(store)
    return use(
      createCases({
        cases: kept,
        access: createCaseAccess(kept, secrets),
        replica: { reached: async () => {} }, // no index here that could lag
        // Unused: no case is opened or renewed here, and no name is printed.
        nameOfOrg: async () => undefined,
        keptUntilMs: async () => 0,
        laterMs: (nowMs) => laterTime(createStoreTime(store), nowMs),
        offersExtendedProtection: false,
        now: () => Date.now(),
      }),
    )
  })
}
