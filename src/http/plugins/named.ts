// The name of a group of routes, for Fastify.

const DISPLAY_NAME = Symbol.for('fastify.display-name')

/**
 * Gives a plugin the name of its function. For a plugin without a name, Fastify compares the function with every loaded CommonJS module, to find its
 * file. That was a fifth of the start-up time.
 */
export function named<Plugin extends object & { readonly name: string }>(plugin: Plugin): Plugin {
  return Object.assign(plugin, { [DISPLAY_NAME]: plugin.name })
}
