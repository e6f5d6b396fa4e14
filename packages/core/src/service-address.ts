// Addresses of a Tabir service and of its routes, for the client, the feed and the command line.

export function isServiceAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}

/**
 * @param service may have a path, because a proxy may serve Tabir below one.
 * @param route begins with `/`; its parameters are encoded.
 */
export function routeAt(service: string | URL, route: string): URL {
  const url = new URL(service)
  url.pathname = url.pathname.replace(/\/*$/, '/')
  return new URL(`.${route}`, url)
}
