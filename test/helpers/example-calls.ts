// Examples of openapi.yaml: made from a call and its answer, compared with the stored ones, and written.

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { EXAMPLES, type Example } from '../../src/http/openapi/examples.js'

const path = resolve(import.meta.dirname, '../../../src/http/openapi/examples.json')

/** The media types that the description has for an answer; `undefined` for an unknown path. */
export type MediaTypesOf = (method: string, path: string, status: number) => readonly string[] | undefined

/** Replaces the local address with a public one. */
export function publicly(example: Example, endpointUrl: string): Example {
  return JSON.parse(JSON.stringify(example).replaceAll(endpointUrl, 'https://hooks.example.com/tabir')) as Example
}

export function exampleOf(args: { params?: object; query?: object; body?: unknown }, answer: unknown): Example {
  const body = args.body instanceof FormData || typeof args.body === 'string' ? undefined : args.body
  return {
    ...(args.params !== undefined && { params: { ...args.params } }),
    ...(body !== undefined && { body }),
    ...(answer !== undefined && !(answer instanceof Response) && { answer: shown(answer) }),
  }
}

/** Cuts lists after two entries, and replaces secrets. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      HIDDEN[name] !== undefined && typeof inner === 'string' ? HIDDEN[name] : shown(inner),
    ]),
  )
}
const HIDDEN: Readonly<Record<string, string>> = {
  secret: `whsec_${'A'.repeat(43)}=`,
  token: 'a-token',
  key: 'an-api-key',
  pin: '123456',
}

/** Keeps the names of fields, and only those values that are Tabir's own words. Renaming one of these makes the recorded examples out of date. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value === 'string' && OUR_WORD.test(value)) return value
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
}

const OUR_WORD = /^[a-z]+([.-][a-z]+)*$/

/** Keeps examples of the same shape, so that ids and times change only if something else does. */
export function writeExamples(seen: Readonly<Record<string, Example>>): void {
  const kept = Object.entries(seen).map(([id, example]) => {
    const before = EXAMPLES[id]
    const same = before !== undefined && JSON.stringify(shapeOf(before)) === JSON.stringify(shapeOf(example))
    return [id, same ? before : example] as const
  })
  const sorted = kept.toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(path, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
}

const Described = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({ responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })) }),
    ),
  ),
})

export function mediaTypesIn(description: object): MediaTypesOf {
  const paths = Object.entries(Described.parse(description).paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    operations,
  }))
  return (method, pathname, status) => {
    // A fixed path comes before one with a parameter in its place.
    const found = paths.filter(({ pattern, operations }) => pattern.test(pathname) && method.toLowerCase() in operations)
    const [closest] = found.toSorted((a, b) => b.pattern.source.length - a.pattern.source.length)
    return Object.keys(closest?.operations[method.toLowerCase()]?.responses[status]?.content ?? {})
  }
}
