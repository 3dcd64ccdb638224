import { isParcomoloError } from '../base/index.ts'
import { type Contract, type Contracts, contractsAgree, contractSet } from '../contract/index.ts'
import { contractsOfText, loadPublished } from './contract-text.ts'
import type { DefinitionPublished } from './definition-events.ts'

/**
 * Contracts that have, for these participants, all that revisions need which do not fit them any more: from those that
 * each was published with, the last one first. The same object where nothing is missing.
 */
export const withEarlier = (
  revisions: readonly DefinitionPublished[],
  contracts: Contracts,
  participants: ReadonlySet<string>
): Contracts => {
  const earlier = new Map<string, Contract>()
  const changedIn = changesTo(contracts, participants)
  for (const revision of revisions.toReversed()) {
    for (const contract of missingFor(revision, contracts, changedIn(revision.contracts ?? ''))) {
      const later = earlier.get(contract.participant)
      earlier.set(contract.participant, later === undefined ? contract : joined(later, contract))
    }
  }
  if (earlier.size === 0) return contracts
  return contractSet(
    contracts.all.map((contract) => {
      const kept = earlier.get(contract.participant)
      return kept === undefined ? contract : joined(kept, contract)
    })
  )
}

type Before = { readonly contracts: Contracts; readonly changed: readonly Contract[] }

/** What a text of contracts says, and which of them say something else now; few texts are those of many revisions. */
const changesTo = (contracts: Contracts, participants: ReadonlySet<string>): ((text: string) => Before) => {
  const known = new Map<string, Before>()
  const isChanged = (contract: Contract): boolean => {
    const now = contracts.participant(contract.participant)
    return participants.has(contract.participant) && !('found' in now && contractsAgree(now.found, contract))
  }
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const before = text === '' ? contractSet([]) : contractsOfText(text)
    const read = { contracts: before, changed: before.all.filter(isChanged) }
    known.set(text, read)
    return read
  }
}

/** What it was published with, where that is what is in the way now. */
const missingFor = (revision: DefinitionPublished, contracts: Contracts, before: Before): readonly Contract[] =>
  before.changed.length > 0 && !fits(revision, contracts) && fits(revision, before.contracts) ? before.changed : []

const fits = (revision: DefinitionPublished, contracts: Contracts): boolean => {
  try {
    loadPublished(revision, contracts)
    return true
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_SAGA_INVALID')) return false
    throw error
  }
}

/** The first, and what it lacks of the other. */
const joined = (one: Contract, other: Contract): Contract => ({
  ...one,
  operations: new Map([...other.operations, ...one.operations]),
  records: new Map([...other.records, ...one.records]),
  emits: new Set([...other.emits, ...one.emits])
})
