// Operations of organisations on keys, watches, webhooks, banks and exchanges: each with how it stands before and after.

import { randomUUID } from 'node:crypto'
import type { OperationId } from '../../packages/client/src/tabir-client.js'
import { randomHashText, until } from '../helpers/service.js'
import { type ClientWorld, freshCase, type Trial } from './client-world.js'
import { freshBank, freshWebhook } from './reading-operations.js'

async function bankState({ ngo }: ClientWorld, bank: string) {
  const listed = await ngo.call('exportBank', { params: { bank }, body: { format: 'hex', plain: true } })
  const { imports } = await ngo.call('listImports', { params: { bank }, query: {} })
  return { signals: (await listed.text()).split('\n').filter((line) => line !== '').length, imports: imports.length }
}

async function freshKey({ operator }: ClientWorld) {
  return operator.call('createKey', { body: { org: 'other', kind: 'platform', scopes: ['match'] } })
}

async function keysOf({ operator }: ClientWorld) {
  const { keys } = await operator.call('listKeys', {})
  return keys.filter(({ org }) => org === 'other')
}

/** A process hears of a new key within a moment. */
const works = (at: ClientWorld, key: string) =>
  until(async () => {
    const body = { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] } as const
    return await at
      .owner(key)
      .call('match', { body })
      .then(Boolean, () => false)
  }, 10_000).then(
    () => undefined,
    () => 'the key opens nothing',
  )

let lastName = 0

export const OF_ACCOUNTS = {
  async createKey(at) {
    return {
      by: at.operator,
      args: { body: { org: `org-${++lastName}`, kind: 'platform', scopes: ['match'] } },
      state: async () => {
        const { keys } = await at.operator.call('listKeys', {})
        return keys.filter(({ org }) => org === `org-${lastName}`).length
      },
      check: ({ key }) => works(at, key),
    }
  },
  async rotateKey(at) {
    const { keyId, key } = await freshKey(at)
    const before = (await keysOf(at)).length
    return {
      by: at.operator,
      args: { params: { keyId }, body: { overlapHours: 24 } },
      state: async () => (await keysOf(at)).length - before,
      check: (answer) => works(at, answer.key),
      checkRejected: () => works(at, key),
    }
  },
  async revokeKey(at) {
    const { keyId } = await freshKey(at)
    return {
      by: at.operator,
      args: { params: { keyId } },
      state: async () => (await keysOf(at)).filter((each) => each.keyId === keyId).length,
    }
  },
  async restoreKey(at) {
    const { keyId } = await freshKey(at)
    return {
      by: at.operator,
      args: { params: { keyId } },
      state: async () =>
        (await keysOf(at)).filter((each) => each.keyId === keyId).map(({ suspendedAt }) => suspendedAt !== null),
    }
  },
  async clearStrikes(at) {
    const { imageId } = await freshCase(at)
    return { by: at.operator, args: { params: { account: `org:${imageId}` } } }
  },
  async watch(at) {
    const reference = `upload-${++lastName}`
    return {
      by: at.platform,
      args: { body: { watches: [{ reference, signals: [{ type: 'pdq', hash: randomHashText() }] }] } },
      state: () => watchesWith(at, reference),
    }
  },
  async removeWatch(at) {
    const reference = `upload-${++lastName}`
    const body = { watches: [{ reference, signals: [{ type: 'pdq', hash: randomHashText() }] }] } as const
    const [watch] = (await at.platform.call('watch', { body })).watches
    const watchId = watch !== undefined && 'watchId' in watch ? watch.watchId : ''
    return { by: at.platform, args: { params: { watchId } }, state: () => watchesWith(at, reference) }
  },
  async deleteContext(at) {
    const [context, { signals }] = [randomUUID(), await freshCase(at)]
    const state = async () =>
      (await at.platform.call('listContexts', {})).contexts.filter((each) => each.context === context).length
    await until(async () => {
      await at.platform.call('match', { body: { queries: [{ context, signals }] } })
      return (await state()) === 1
    }, 10_000)
    return { by: at.platform, args: { params: { context } }, state }
  },
  async addWebhook(at) {
    const { webhookId } = await freshWebhook(at)
    await at.platform.call('removeWebhook', { params: { webhookId } })
    return {
      by: at.platform,
      args: { body: { url: at.endpointUrl, events: ['match.found'] } },
      state: async () => (await at.platform.call('listWebhooks', {})).webhooks.length,
    }
  },
  async changeWebhook(at) {
    const params = { webhookId: (await freshWebhook(at)).webhookId }
    return {
      by: at.platform,
      args: { params, body: { maxPerSecond: 5 } },
      state: async () => (await at.platform.call('getWebhook', { params })).maxPerSecond,
    }
  },
  async removeWebhook(at) {
    const params = { webhookId: (await freshWebhook(at)).webhookId }
    return {
      by: at.platform,
      args: { params },
      state: async () => (await at.platform.call('listWebhooks', {})).webhooks.length,
    }
  },
  async rotateWebhookSecret(at) {
    const params = { webhookId: (await freshWebhook(at)).webhookId }
    return {
      by: at.platform,
      args: { params },
      state: async () => (await at.platform.call('getWebhook', { params })).oldSecretUntil !== null,
    }
  },
  async pingWebhook(at) {
    const params = { webhookId: (await freshWebhook(at)).webhookId }
    return {
      by: at.platform,
      args: { params },
      check: () =>
        until(
          async () => (await at.platform.call('listWebhookDeliveries', { params, query: {} })).deliveries.length > 0,
          5000,
        ).then(
          () => undefined,
          () => 'nothing was sent',
        ),
    }
  },
  async replayWebhookDelivery(at) {
    const { webhookId } = await freshWebhook(at)
    const params = { webhookId }
    await at.platform.call('pingWebhook', { params })
    const delivered = async () => {
      const { deliveries } = await at.platform.call('listWebhookDeliveries', { params, query: {} })
      return deliveries.find(({ state }) => state === 'delivered')
    }
    await until(async () => (await delivered()) !== undefined)
    return { by: at.platform, args: { params: { webhookId, deliveryId: (await delivered())?.deliveryId ?? '' } } }
  },
  async createBank(at) {
    const name = `bank-${++lastName}`
    return {
      by: at.ngo,
      args: { body: { name } },
      state: async () => (await at.ngo.call('listBanks', {})).banks.filter(({ bank }) => bank === name).length,
    }
  },
  async changeBank(at) {
    const bank = await freshBank(at)
    return {
      by: at.ngo,
      args: { params: { bank }, body: { readers: ['platform'] } },
      state: async () => (await at.ngo.call('listBanks', {})).banks.find((each) => each.bank === bank)?.readers,
    }
  },
  async addSignals(at) {
    const bank = await freshBank(at)
    const signals = [{ type: 'pdq', hash: randomHashText(), quality: 90 }] as const
    return { by: at.ngo, args: { params: { bank }, body: { signals } }, state: () => bankState(at, bank) }
  },
  async removeSignal(at) {
    const hash = randomHashText()
    const bank = await freshBank(at, hash)
    const body = { signals: [{ type: 'pdq', hash, quality: 90 }] } as const
    const { signals } = await at.ngo.call('addSignals', { params: { bank }, body })
    const signalId = signals[0]?.signalId ?? ''
    return { by: at.ngo, args: { params: { bank, signalId } }, state: () => bankState(at, bank) }
  },
  async importFile(at) {
    const bank = await freshBank(at)
    return {
      by: at.ngo,
      args: { params: { bank }, body: `pdq ${randomHashText()}\npdq ${randomHashText()}\n` },
      state: () => bankState(at, bank),
      check: async ({ accepted }) => (accepted === 2 ? undefined : `${accepted} of 2 were taken`),
    }
  },
  pullExchange: async (at) => ({ by: at.operator, args: { params: { name: 'ncii-list' } } }),
} as const satisfies { readonly [Op in OperationId]?: (at: ClientWorld) => Promise<Trial<Op>> }

async function watchesWith({ platform }: ClientWorld, reference: string): Promise<number> {
  let after: string | undefined
  let count = 0
  do {
    const query = { limit: 1000, ...(after !== undefined && { after }) }
    const page = await platform.call('listWatches', { query })
    count += page.watches.filter((each) => each.reference === reference).length
    after = page.next ?? undefined
  } while (after !== undefined)
  return count
}
