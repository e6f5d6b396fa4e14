// Finds which methods a path supports, for the answer 405. Fastify's router answers 404 without saying why.

import type { FastifyInstance } from 'fastify'

/**
 * Collects the routes that are registered after this call.
 * @returns a function from a path to its methods. Cost: one match per route pattern; call it only for requests without a route.
 */
export function createMethodLookup(app: FastifyInstance): (address: string) => string[] {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return // plugins register this for every path
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const each of [method].flat()) route.methods.add(each)
    routes.set(url, route)
  })
  return (address) => {
    const path = address.replace(/[?#].*/s, '').replace(/\/{2,}/g, '/')
    const found = [...routes.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods])
    return [...new Set(found)].sort()
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : escaped(part)))
  return new RegExp(`^${parts.join('')}$`)
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
