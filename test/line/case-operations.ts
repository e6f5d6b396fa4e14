// Operations on cases, images and what is said about them: each with how it stands before and after.

import type { OperationId } from '../../packages/client/src/tabir-client.js'
import { randomHashText } from '../helpers/service.js'
import { clipForm } from '../helpers/videos.js'
import type { OF_ACCOUNTS } from './account-operations.js'
import { type ClientWorld, freshCase, freshMatch, type Trial } from './client-world.js'
import { assistedCase, pictureForm, type READING } from './reading-operations.js'
import { ownFile } from './world.js'

type Changing = { readonly [Op in ChangingId]: (at: ClientWorld) => Promise<Trial<Op>> }
type ChangingId = Exclude<OperationId, keyof typeof READING | keyof typeof OF_ACCOUNTS>

/** What an operator sees of an image, without its id and times. */
async function judgedState({ operator }: ClientWorld, signalId: string) {
  const { tier, disputed, dispute, circulation, provenance, answer } = await operator.call('getSignal', {
    params: { signalId },
  })
  const { attestations, verifications, confirmations, notBlocked } = provenance
  return { tier, disputed, dispute, circulation, answer, attestations, verifications, confirmations, notBlocked }
}

async function caseState({ world }: ClientWorld, caseNumber: string, pin: string, hash: string) {
  const stored = await world.read(caseNumber, pin)
  const isRenewed = stored?.events.some(({ kind }) => kind === 'renewed')
  return { state: stored?.case.state, images: stored?.images.length, isRenewed, isFound: await world.finds(hash) }
}

async function judgedTrial(at: ClientWorld, begin: (signalId: string) => Promise<unknown> = async () => {}) {
  const { imageId } = await freshCase(at)
  await begin(imageId)
  return {
    by: at.operator,
    args: { params: { signalId: imageId } },
    state: () => judgedState(at, imageId),
  }
}

/** Judged harmless, withdrawn, and blocked since. @returns the id of the block. */
async function blocked(at: ClientWorld, hash: string): Promise<void> {
  const { her, params, imageId } = await freshCase(at, hash)
  await at.operator.call('disputeSignal', { params: { signalId: imageId }, body: { reason: 'harmless-content' } })
  await at.operator.call('decideDispute', { params: { signalId: imageId }, body: { outcome: 'upheld' } })
  await her.call('withdrawCase', { params })
}

async function blocksOf({ operator }: ClientWorld): Promise<string[]> {
  const { blocks } = await operator.call('listResubmissionBlocks', { query: { limit: 100 } })
  return blocks.map(({ blockId }) => blockId)
}

/** A block, and an appeal against it. */
async function appealed(at: ClientWorld) {
  const before = await blocksOf(at)
  const hash = randomHashText()
  await blocked(at, hash)
  const blockId = (await blocksOf(at)).find((id) => !before.includes(id)) ?? ''
  const opened = await at.anybody.call('openCase', { body: { adult: true } })
  const signals = [{ type: 'pdq', hash, quality: 100 }] as const
  return { blockId, by: at.owner(opened.token), params: { caseNumber: opened.caseNumber }, signals }
}

let lastName = 0

export const OF_CASES: Changing = {
  openCase: async (at) => ({
    by: at.anybody,
    args: { body: { adult: true } },
    check: async ({ caseNumber, pin }) =>
      (await at.world.read(caseNumber, pin)) === undefined ? 'number and PIN open no case' : undefined,
  }),
  async openCaseByPin(at) {
    const { params, pin } = await freshCase(at)
    return {
      by: at.anybody,
      args: { params, body: { pin } },
      check: async ({ token }) => {
        const { images } = await at.owner(token).call('getCase', { params })
        return images === 1 ? undefined : 'the token opens another case'
      },
    }
  },
  async renewCase(at) {
    const { her, params, pin, hash } = await freshCase(at)
    return { by: her, args: { params }, state: () => caseState(at, params.caseNumber, pin, hash) }
  },
  async changePin(at) {
    const { her, params, caseNumber, pin } = await freshCase(at)
    return {
      by: her,
      args: { params },
      check: async (answer) =>
        (await at.world.read(caseNumber, answer.pin ?? answer.recoveryCode)) === undefined
          ? 'the new PIN does not open the case'
          : undefined,
      checkRejected: async () =>
        (await at.world.read(caseNumber, pin)) === undefined ? 'no PIN that she knows opens the case' : undefined,
    }
  },
  async withdrawCase(at) {
    const { her, params, caseNumber, pin, hash } = await freshCase(at)
    return { by: her, args: { params }, state: () => caseState(at, caseNumber, pin, hash) }
  },
  async stopWishes(at) {
    const { her, params, caseNumber, pin, hash } = await freshCase(at)
    const { token } = await at.anybody.call('openCaseByPin', { params, body: { pin } })
    await at.owner(token).call('withdrawCase', { params })
    return { by: her, args: { params }, state: () => caseState(at, caseNumber, pin, hash) }
  },
  async pauseCase(at) {
    const { her, params, caseNumber, pin, hash } = await freshCase(at)
    return { by: her, args: { params }, state: () => caseState(at, caseNumber, pin, hash) }
  },
  async resumeCase(at) {
    const { her, params, caseNumber, pin, hash } = await freshCase(at)
    await her.call('pauseCase', { params })
    return { by: her, args: { params }, state: () => caseState(at, caseNumber, pin, hash) }
  },
  openAssistedCase: async (at) => ({
    by: at.ngo,
    args: { body: { adult: true, consent: { kind: 'in-writing', on: '2026-01-05' } } },
    check: async ({ caseNumber }) => {
      const { state } = await at.ngo.call('getCase', { params: { caseNumber } })
      return state === 'open' ? undefined : `the case is ${state}`
    },
  }),
  async handOverCase(at) {
    const { caseNumber } = await assistedCase(at)
    return {
      by: at.ngo,
      args: { params: { caseNumber }, body: { keepReading: false } },
      state: () => at.ngo.call('getCase', { params: { caseNumber } }).then(({ state }) => state, codeIn),
      repeatSays: ['handed-over'],
      check: async ({ pin }) =>
        (await at.world.read(caseNumber, pin)) === undefined ? 'the PIN does not open the case' : undefined,
    }
  },
  async endReading(at) {
    const { caseNumber } = await assistedCase(at)
    const params = { caseNumber }
    const { pin } = await at.ngo.call('handOverCase', { params, body: { keepReading: true } })
    const { token } = await at.anybody.call('openCaseByPin', { params, body: { pin } })
    return {
      by: at.owner(token),
      args: { params },
      state: () => at.ngo.call('getCase', { params }).then(({ state }) => state, codeIn),
    }
  },
  async noteComplaint(at) {
    const params = { caseNumber: (await assistedCase(at)).caseNumber }
    const body = { reference: 'PJ/2026/18' }
    return { by: at.ngo, args: { params, body }, state: () => at.ngo.call('checkComplaint', { params, body }).catch(codeIn) }
  },
  async addImages(at) {
    const seed = 3_900_000_000 + 1000 * ++lastName
    const { caseNumber, pin, token } = await at.anybody.call('openCase', { body: { adult: true } })
    const { hash } = await ownFile(seed)
    return {
      by: at.owner(token),
      args: { params: { caseNumber }, body: await pictureForm(seed) },
      state: () => caseState(at, caseNumber, pin, hash),
    }
  },
  async addVideo(at) {
    const { caseNumber, pin, token } = await at.anybody.call('openCase', { body: { adult: true } })
    return {
      by: at.owner(token),
      args: { params: { caseNumber }, body: clipForm() },
      state: async () => (await at.world.read(caseNumber, pin))?.images.length,
    }
  },
  async addHashes(at) {
    const { her, params, caseNumber, pin } = await freshCase(at)
    const hash = randomHashText()
    const images = [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] as const
    return { by: her, args: { params, body: { images } }, state: () => caseState(at, caseNumber, pin, hash) }
  },
  async answerDispute(at) {
    const { her, caseNumber, imageId } = await freshCase(at)
    await at.operator.call('disputeSignal', { params: { signalId: imageId }, body: { reason: 'other' } })
    return {
      by: her,
      args: { params: { caseNumber, imageId }, body: { answer: 'shows-me-without-consent' } },
      state: () => judgedState(at, imageId),
    }
  },
  async appeal(at) {
    const { by, params, signals, blockId } = await appealed(at)
    return {
      by,
      args: { params, body: { signals } },
      state: async () => {
        const { appeals } = await at.operator.call('listAppeals', { query: { limit: 100 } })
        return appeals.filter((each) => each.blockId === blockId).length
      },
    }
  },
  async appealForImage(at) {
    const { her, caseNumber, imageId } = await freshCase(at)
    const judged = { params: { signalId: imageId } }
    await at.operator.call('disputeSignal', { ...judged, body: { reason: 'other' } })
    await at.operator.call('decideDispute', { ...judged, body: { outcome: 'upheld' } })
    return {
      by: her,
      args: { params: { caseNumber, imageId } },
      state: async () => {
        const { appeals } = await at.operator.call('listAppeals', { query: { limit: 100 } })
        return appeals.filter((each) => each.signalId === imageId).length
      },
    }
  },
  async decideAppeal(at) {
    const { by, params, signals, blockId } = await appealed(at)
    await by.call('appeal', { params, body: { signals } })
    return {
      by: at.operator,
      args: { params: { appealed: blockId }, body: { outcome: 'granted' } },
      state: async () => (await blocksOf(at)).includes(blockId),
    }
  },
  async liftResubmissionBlock(at) {
    const { blockId } = await appealed(at)
    return { by: at.operator, args: { params: { blockId } }, state: async () => (await blocksOf(at)).includes(blockId) }
  },
  async giveFeedback(at) {
    const { matchId, imageId } = await freshMatch(at, at.platform)
    return {
      by: at.platform,
      args: { params: { matchId }, body: { verdict: 'blocked' } },
      state: () => judgedState(at, imageId),
    }
  },
  async attestMatch(at) {
    const { matchId, imageId } = await freshMatch(at, at.ngo)
    return { by: at.ngo, args: { params: { matchId } }, state: () => judgedState(at, imageId) }
  },
  async disputeSignal(at) {
    const { by, args, state } = await judgedTrial(at)
    return { by, args: { ...args, body: { reason: 'other' } }, state }
  },
  async decideDispute(at) {
    const { by, args, state } = await judgedTrial(at, (signalId) =>
      at.operator.call('disputeSignal', { params: { signalId }, body: { reason: 'other' } }),
    )
    return { by, args: { ...args, body: { outcome: 'rejected' } }, state }
  },
  takeBackDecision: (at) =>
    judgedTrial(at, async (signalId) => {
      await at.operator.call('disputeSignal', { params: { signalId }, body: { reason: 'other' } })
      await at.operator.call('decideDispute', { params: { signalId }, body: { outcome: 'upheld' } })
    }),
  verifySignal: (at) => judgedTrial(at),
  holdSignal: (at) => judgedTrial(at),
  releaseSignal: (at) => judgedTrial(at, (signalId) => at.operator.call('holdSignal', { params: { signalId } })),
  async giveNotice(at) {
    const { her, params } = await freshCase(at)
    const statements = ['goodFaith', 'withoutConsent', 'accurate', 'authorised'] as const
    return {
      by: her,
      args: { params, body: { laws: ['us-tida'], statements, actingAs: 'self', contact: 'ngo' } },
      state: async () => (await her.call('getNotice', { params })).notice?.laws ?? null,
    }
  },
}

function codeIn(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : error
}
