import t from 'tap'
import { isServiceAddress, routeAt } from '../../packages/core/src/service-address.js'

t.test('a route is below the path of the service, on the host of the service', async (t) => {
  for (const [service, address] of [
    ['https://tabir.example', 'https://tabir.example/v1/match?a=b'],
    ['https://tabir.example/', 'https://tabir.example/v1/match?a=b'],
    ['https://ngo.example/tabir', 'https://ngo.example/tabir/v1/match?a=b'],
    ['https://ngo.example/tabir//', 'https://ngo.example/tabir/v1/match?a=b'],
    ['https://ngo.example:8443/a/b/?lang=en#top', 'https://ngo.example:8443/a/b/v1/match?a=b'],
    ['https://ngo.example//other.example', 'https://ngo.example//other.example/v1/match?a=b'],
    ['http://[::1]:8080', 'http://[::1]:8080/v1/match?a=b'],
  ] as const) {
    t.equal(routeAt(service, '/v1/match?a=b').href, address)
    t.equal(routeAt(new URL(service), '/v1/match?a=b').href, address)
  }
})

t.test('a parameter that looks like an address stays a parameter', async (t) => {
  const route = `/v1/banks/${encodeURIComponent('//other.example/?#')}`
  t.equal(routeAt('https://ngo.example/tabir', route).href, `https://ngo.example/tabir${route}`)
})

t.test('the address of a service is an http or https address', async (t) => {
  for (const good of ['https://ngo.example/tabir/', 'HTTP://127.0.0.1:8080']) t.ok(isServiceAddress(good), good)
  for (const wrong of ['', 'ngo.example/tabir', 'ftp://ngo.example', 'https://', '//ngo.example'])
    t.notOk(isServiceAddress(wrong), wrong)
})
