// Which methods an address has, for whoever comes with another one: a router that finds nothing does not say why.

import type { FastifyInstance } from 'fastify'

/** Told of every route from now on. Asked of addresses that led to no route, each pattern is tried once. */
export function methodsOfAddresses(app: FastifyInstance): (address: string) => string[] {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return // whatever a plugin answers everywhere is no route of this address
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
