import { type Clock, inTime } from '../base/index.ts'
import type { InboxWait } from '../http/index.ts'
import { inboxWaitOf, type InboxWaitDeps, sagaJournal } from '../orchestrator/index.ts'
import { type SagaRow, timelineEntries } from '../view/index.ts'

/** What is answered sooner was not waiting, and most instances that are looked at are quick. */
const youngMs = 1_000
/** Reads of the log for whoever looks at an instance: never so many or so long that the look itself is in danger. */
const looksMax = 4
const answerMsMax = 2_000

/** Tells where the commands of an instance wait that were not read yet; of those that cannot be told now, nothing. */
export const inboxWaits = (deps: InboxWaitDeps, clock: Clock): ((row: SagaRow) => Promise<readonly InboxWait[]>) => {
  let looks = 0
  const waitOf = async ({ step, undo, partition, offset }: Issued): Promise<InboxWait[]> => {
    const place = { topic: sagaJournal, partition }
    looks++
    // Whoever asked may be gone by then: a log that is silent must not gather reads.
    const look = inboxWaitOf(deps, place, offset).finally(() => looks--)
    const wait = await inTime(clock, answerMsMax, look, () => new Error('the log is silent'))
    return wait === undefined ? [] : [{ step, undo, ...wait }]
  }
  return async (row) => {
    const issued = issuedOf(row, clock.now() - youngMs)
    if (issued.length === 0 || looks >= looksMax) return []
    try {
      return (await Promise.all(issued.map(waitOf))).flat()
    } catch {
      return []
    }
  }
}

type Issued = { readonly step: string; readonly undo: boolean; readonly partition: number; readonly offset: number }

/** The last command of each step that waits for its answer, where it was sent before then. */
const issuedOf = ({ active, timeline }: SagaRow, before: number): Issued[] => {
  // By place, since the clocks of those who issued them may differ.
  const commands = timelineEntries(timeline)
    .filter(({ type }) => type === 'CommandIssued')
    .toSorted((a, b) => a.offset - b.offset)
  return active.flatMap(({ step, undo, state }) => {
    if (state === 'parked' || state === 'waiting') return []
    const last = commands.findLast((one) => one.step === step && (one.undo ?? false) === undo)
    return last === undefined || last.at > before
      ? []
      : [{ step, undo, partition: last.partition, offset: last.offset }]
  })
}
