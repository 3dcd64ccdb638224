import { canonicalJson } from '../base/index.ts'
import { type Contract } from './contract.ts'

/** True where two contracts of a participant say the same, however their files are written. */
export const contractsAgree = (one: Contract, other: Contract): boolean =>
  one === other || canonicalJson(plain(one)) === canonicalJson(plain(other))

const plain = ({ operations, records, emits, ...rest }: Contract): object => ({
  ...rest,
  operations: [...operations].sort(byName),
  records: [...records].map(([name, { schema }]) => [name, schema] as const).sort(byName),
  emits: [...emits].sort()
})

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1
