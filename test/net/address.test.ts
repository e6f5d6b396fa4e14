import t from 'tap'
import { customerOf, isPublicAddress } from '../../src/net/address.js'

const LOCAL = [
  // this machine and this network
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::', '::1'],
  // private, shared, link-local, site-local, unique-local
  ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255', '169.254.0.1'],
  ...['fe80::1', 'fec0::1', 'fc00::1', 'fdff::1'],
  // metadata services of clouds
  ...['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192', '168.63.129.16', '169.254.170.2'],
  // multicast, broadcast, reserved, benchmarks, documentation
  ...['224.0.0.1', '239.255.255.255', '255.255.255.255', '240.0.0.1', '198.18.0.1', '192.0.2.1', '198.51.100.7'],
  ...['203.0.113.9', '192.88.99.1', 'ff02::1', '2001:db8::1', '3fff::1', '100::1', '5f00::1', '4000::1'],
  // IPv4 within IPv6: mapped, compatible, translated, 6to4, Teredo, NAT64
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::7f00:1', '::ffff:0:7f00:1'],
  ...['2002:7f00:1::', '2001:0:7f00:1::', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::7f00:1'],
  // not an address, or ambiguous between networks
  ...['', 'localhost', '127.1', '0177.0.0.1', '0x7f.0.0.1', '2130706433', '8.8.8.8 ', '8.8.8.8.', '[2606:4700::1]'],
  ...['fe80::1%eth0', '2606:4700::1%eth0', '1.2.3', '1.2.3.256', '08.8.8.8'],
]
const PUBLIC = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1']
const PUBLIC6 = ['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001:82a::200e']

t.test('local, private and reserved addresses are not public', async (t) => {
  for (const address of LOCAL) t.equal(isPublicAddress(address), false, address)
})

t.test('addresses just outside local and reserved ranges are public', async (t) => {
  for (const address of [...PUBLIC, ...PUBLIC6]) t.equal(isPublicAddress(address), true, address)
})

t.test('an address counts for its customer network in every spelling', async (t) => {
  const spelledV4 = ['::ffff:192.0.2.7', '192.0.2.7:4711', '[::ffff:192.0.2.7]:80', '::ffff:c000:207', '::FFFF:C000:0207']
  for (const text of ['192.0.2.7', ...spelledV4, '0:0:0:0:0:ffff:192.0.2.7']) t.equal(customerOf(text), '192.0.2.7', text)
  const spelledV6 = ['2001:DB8::6', '2001:0db8::7', '2001:db8:0000:0:0:0:0:8', '2001:db8::192.0.2.7', '[2001:0DB8::9]:443']
  const plainV6 = ['2001:db8::1', '2001:db8:0:0:ffff::2', '[2001:db8::3]', '[2001:db8::4]:443', '2001:db8::5%eth0']
  for (const text of [...plainV6, ...spelledV6]) t.equal(customerOf(text), '2001:db8:0:0', text)
  t.not(customerOf('2001:db8:0:1::1'), '2001:db8:0:0')
  for (const text of ['', 'unknown', '1.2.3.4.5', '300.1.1.1', '_hidden', '[x]', '192.0.2.7, 192.0.2.8'])
    t.equal(customerOf(text), 'no address', text)
})
