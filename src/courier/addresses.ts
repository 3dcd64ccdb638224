import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { ParcomoloError } from '../base/index.ts'

const blocked = new BlockList()
/** This machine, private, shared and link-local networks (with the metadata of clouds), multicast, and what is none. */
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3]
] as const)
  blocked.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8]
] as const)
  blocked.addSubnet(network, prefix, 'ipv6')

/** Node takes an IPv4 address within an IPv6 one for what it is. */
export const isPrivate = (address: string): boolean => blocked.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

export const addressRefused = (host: string): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_COURIER_ADDRESS_REFUSED',
    `'${host}' is at a private address; expected a public one, as PARCOMOLO_COURIER_PRIVATE is 'false'`
  )

/** Finds public addresses only. What it finds is what is connected to, so that no other answer can come in between. */
export const publicLookup: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    const addresses = (found as LookupAddress[] | undefined) ?? []
    const [first] = addresses
    if (error !== null || first === undefined) return done(error, '', 4)
    if (addresses.some(({ address }) => isPrivate(address))) return done(addressRefused(host), '', 4)
    return options.all === true ? done(null, addresses) : done(null, first.address, first.family)
  })
}
