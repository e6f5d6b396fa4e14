// Each list that names registered images says which of them are videos: the person who reads it decides on what it is.

import t, { type Test } from 'tap'
import { z } from 'zod'
import { WEBHOOK_PAYLOADS } from '../../src/services/webhooks/webhook-payloads.js'
import { startService } from '../helpers/service.js'

/** Ids of registered images, and of what remains of them. */
const IDS = ['imageId', 'signalId', 'matchId', 'blockId']
/** How an entry says it: its duration; what was found in it; its moments; how many frames it has. */
const SAYS = ['durationS', 'durationMs', 'video', 'segments', 'frames']
/** Answers to somebody who has just sent the images, in the order in which they were sent. */
const SENT = ['addHashes', 'addImages', 'addSignals']

const Schema = z.looseObject({
  type: z.unknown().optional(),
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
})

const Described = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string().optional() }))),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
})
type Described = z.infer<typeof Described>

/** The properties of an object and of its variants. */
function propertiesOf(given: unknown, described: Described): string[] {
  const schema = Schema.safeParse(resolved(given, described))
  if (!schema.success) return []
  const variants = ['anyOf', 'oneOf', 'allOf'].flatMap((name) => schema.data[name] ?? [])
  return [...Object.keys(schema.data.properties ?? {}), ...variants.flatMap((each) => propertiesOf(each, described))]
}

function resolved(given: unknown, { components }: Described): unknown {
  const ref = Schema.safeParse(given).data?.$ref
  return ref === undefined ? given : components.schemas[ref.replace('#/components/schemas/', '')]
}

/** The properties of the entries of each list in a schema. */
function* listsIn(given: unknown, described: Described, seen: ReadonlySet<unknown> = new Set()): Generator<string[]> {
  const schema = resolved(given, described)
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return
  const items = 'items' in schema ? schema.items : undefined
  if (items !== undefined) yield propertiesOf(items, described)
  for (const part of Object.values(schema)) yield* listsIn(part, described, new Set([...seen, schema]))
}

function forgetful(described: Described): string[] {
  const names: string[] = []
  for (const operations of Object.values(described.paths))
    for (const { operationId = '', responses } of Object.values(operations)) {
      if (SENT.includes(operationId)) continue
      for (const entry of listsIn(responses, described))
        if (IDS.some((id) => entry.includes(id)) && !SAYS.some((name) => entry.includes(name))) names.push(operationId)
    }
  return names
}

async function description(t: Test): Promise<Described> {
  const { app } = await startService(t)
  await app.ready()
  return Described.parse(app.swagger())
}

t.test('no list forgets to say which of its entries are videos', async (t) => {
  const described = await description(t)
  t.same(forgetful(described), [])
  const lists = Object.values(described.paths).flatMap((operations) =>
    Object.values(operations).filter(({ responses }) =>
      [...listsIn(responses, described)].some((entry) => IDS.some((id) => entry.includes(id))),
    ),
  )
  t.ok(lists.length >= 10, `there are lists: ${lists.map(({ operationId }) => operationId)}`)
})

t.test('no webhook message about a registered image forgets it, except of one that is gone', async (t) => {
  const forgotten = WEBHOOK_PAYLOADS.flatMap(({ type, body }) => {
    const names = Object.keys(body.shape.data.shape)
    return IDS.some((id) => names.includes(id)) && !SAYS.some((name) => names.includes(name)) ? [type] : []
  })
  t.same(forgotten, ['signal.withdrawn'])
})
