// Lets a module outside of this package import its packages: those that it cannot find itself are resolved from here.

const BARE = /^[@a-z]/i
const HERE = import.meta.url

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!BARE.test(specifier) || context.parentURL === HERE) throw error
    return next(specifier, { ...context, parentURL: HERE })
  }
}
