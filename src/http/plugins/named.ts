// The name of a group of routes, for Fastify.

const DISPLAY_NAME = Symbol.for('fastify.display-name')

/**
 * Gives a plugin the name of its function. For one without a name Fastify compares the function with every CommonJS module that was loaded, to find
 * the file that it came from: a fifth of the time that a service took to start.
 */
export function named<Plugin extends object & { readonly name: string }>(plugin: Plugin): Plugin {
  return Object.assign(plugin, { [DISPLAY_NAME]: plugin.name })
}
