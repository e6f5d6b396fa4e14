// Operations that change nothing that is asked about: nothing is to compare but their answers.

import type { OperationId } from '../../packages/client/src/tabir-client.js'
import { randomHashText } from '../helpers/service.js'
import { clipForm } from '../helpers/videos.js'
import { type ClientWorld, freshCase, freshMatch, type Pseudonym, type Trial } from './client-world.js'

type Reading<Op extends OperationId> = (at: ClientWorld) => Promise<Trial<Op>>

const plain =
  (by: (at: ClientWorld) => Pseudonym) =>
  async (at: ClientWorld): Promise<{ readonly by: Pseudonym; readonly args: Record<string, never> }> => ({
    by: by(at),
    args: {},
  })

const listed =
  (by: (at: ClientWorld) => Pseudonym) =>
  async (
    at: ClientWorld,
  ): Promise<{ readonly by: Pseudonym; readonly args: { readonly query: { readonly limit: number } } }> => ({
    by: by(at),
    args: { query: { limit: 3 } },
  })

/** Of a case with an image. */
async function ofCase(at: ClientWorld) {
  const { her, params } = await freshCase(at)
  return { by: her, args: { params } }
}

const anybody = ({ anybody: by }: ClientWorld) => by
const ngo = ({ ngo: by }: ClientWorld) => by
const platform = ({ platform: by }: ClientWorld) => by
const operator = ({ operator: by }: ClientWorld) => by

export const READING = {
  live: plain(anybody),
  ready: plain(anybody),
  health: plain(anybody),
  index: plain(anybody),
  explainProblem: async ({ anybody: by }) => ({ by, args: { params: { code: 'case-unknown' } } }),
  getChallenge: plain(anybody),
  getPrivacyNotice: plain(anybody),
  getReceiptKey: plain(anybody),
  listLaws: plain(anybody),
  getCase: ofCase,
  getNotice: ofCase,
  getCaseEvents: ofCase,
  exportCase: ofCase,
  async getHashes(at) {
    const { her, params } = await freshCase(at)
    return { by: her, args: { params, query: {} } }
  },
  async findInCase(at) {
    const { her, params } = await freshCase(at)
    return { by: her, args: { params, body: { hashes: ['0'.repeat(64)] } } }
  },
  async getReport(at) {
    const { her, params } = await freshCase(at)
    return { by: her, args: { params, query: {} } }
  },
  async getReceipt(at) {
    const { her, params } = await freshCase(at)
    await her.call('withdrawCase', { params })
    return { by: her, args: { params } }
  },
  async checkComplaint(at) {
    const { caseNumber } = await assistedCase(at)
    const params = { caseNumber }
    await at.ngo.call('noteComplaint', { params, body: { reference: 'PJ/2026/17' } })
    return { by: at.ngo, args: { params, body: { reference: 'PJ/2026/17' } } }
  },
  async match(at) {
    const { signals } = await freshCase(at)
    return {
      by: at.platform,
      args: { body: { queries: [{ signals }] } },
      check: async ({ results }) => (results[0]?.matches?.length === 1 ? undefined : 'the image is not found'),
    }
  },
  matchImages: async ({ platform: by }) => ({ by, args: { query: {}, body: await pictureForm(81) } }),
  verdict: async ({ platform: by }) => ({ by, args: { body: await pictureForm(81) } }),
  matchVideo: async ({ platform: by }) => ({ by, args: { query: {}, body: clipForm() } }),
  async getMatch(at) {
    const { matchId } = await freshMatch(at, at.platform)
    return { by: at.platform, args: { params: { matchId } } }
  },
  readFeed: async ({ platform: by }) => ({ by, args: { query: {} } }),
  listDisputes: listed(operator),
  listQuarantine: listed(operator),
  async getSignal(at) {
    const { imageId } = await freshCase(at)
    return { by: at.operator, args: { params: { signalId: imageId } } }
  },
  listAppeals: listed(operator),
  listResubmissionBlocks: listed(operator),
  listOverdue: listed(operator),
  listOwnOverdue: listed(ngo),
  listWaitingAttestations: listed(ngo),
  listContexts: listed(platform),
  listKeys: plain(operator),
  getOwnKey: plain(operator),
  listAudit: listed(operator),
  listDays: async ({ operator: by }) => ({ by, args: { query: { days: 3 } } }),
  listOwnDays: async ({ platform: by }) => ({ by, args: { query: { days: 3 } } }),
  getRegistry: plain(operator),
  listEvents: listed(operator),
  listStrikes: plain(operator),
  listWatches: listed(platform),
  listWebhooks: plain(platform),
  async getWebhook(at) {
    const { webhookId } = await freshWebhook(at)
    return { by: at.platform, args: { params: { webhookId } } }
  },
  async listWebhookDeliveries(at) {
    const { webhookId } = await freshWebhook(at)
    return { by: at.platform, args: { params: { webhookId }, query: {} } }
  },
  listBanks: plain(ngo),
  async listImports(at) {
    return { by: at.ngo, args: { params: { bank: await freshBank(at) }, query: {} } }
  },
  async getImport(at) {
    const bank = await freshBank(at)
    const { importId } = await at.ngo.call('importFile', { params: { bank }, body: `pdq ${randomHashText()}\n` })
    return { by: at.ngo, args: { params: { bank, importId } } }
  },
  async exportBank(at) {
    return { by: at.ngo, args: { params: { bank: await freshBank(at) }, body: { format: 'hex', plain: true } } }
  },
  listExchanges: plain(operator),
} as const satisfies { readonly [Op in OperationId]?: Reading<Op> }

let lastBank = 0

/** With one signal. */
export async function freshBank({ ngo: by }: ClientWorld, hash = randomHashText()): Promise<string> {
  const bank = `list-${++lastBank}`
  await by.call('createBank', { body: { name: bank } })
  await by.call('addSignals', { params: { bank }, body: { signals: [{ type: 'pdq', hash, quality: 90 }] } })
  return bank
}

/** Each organisation has few: the others are removed first. */
export async function freshWebhook({ platform: by, endpointUrl: url }: ClientWorld) {
  const { webhooks } = await by.call('listWebhooks', {})
  for (const { webhookId } of webhooks) await by.call('removeWebhook', { params: { webhookId } })
  return by.call('addWebhook', { body: { url, events: ['match.found'] } })
}

export function assistedCase({ ngo: by }: ClientWorld) {
  return by.call('openAssistedCase', { body: { adult: true, consent: { kind: 'in-writing', on: '2026-01-05' } } })
}

export async function pictureForm(seed: number): Promise<FormData> {
  const { ownFile } = await import('./world.js')
  const form = new FormData()
  form.append('image', new Blob([new Uint8Array((await ownFile(seed)).buffer)], { type: 'image/jpeg' }), 'image.jpg')
  return form
}
