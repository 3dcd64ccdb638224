/**
 * What a process can tell of what it has done since it began. Produce requests hold batches, batches hold records; a
 * task takes its inputs in rounds, each of which ends in a batch of its own.
 */
export type Quantity =
  | 'cpuSeconds'
  | 'residentBytes'
  | 'fsyncs'
  | 'logBytes'
  | 'produceRequests'
  | 'producedBatches'
  | 'producedRecords'
  | 'fetchRequests'
  | 'fetchedRecords'
  | 'rounds'
  | 'inputs'

/** Without what the process does not know, or does not have. */
export type Usage = Readonly<Partial<Record<Quantity, number>>>

/** By process. */
export type Counters = ReadonlyMap<string, Usage>

/** The brokers' processes together. They stand apart, since whether they are seen depends on where they run. */
export const brokers = 'brokers'

/** What each has used between two readings; of memory, what it holds at the end. */
export const usedBetween = (before: Counters, after: Counters): Counters =>
  new Map([...after].map(([name, usage]) => [name, difference(before.get(name) ?? {}, usage)]))

const difference = (before: Usage, after: Usage): Usage =>
  mapped(after, (value, quantity) => (quantity === 'residentBytes' ? value : value - (before[quantity] ?? 0)))

/** NaN where no process knows of it. */
export const total = (counters: Counters, quantity: Quantity): number => {
  const values = [...counters].flatMap(([name, usage]) => (name === brokers ? [] : (usage[quantity] ?? [])))
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0)
}

const mapped = (usage: Usage, change: (value: number, quantity: Quantity) => number): Usage =>
  Object.fromEntries(Object.entries(usage).map(([name, value]) => [name, change(value, name as Quantity)]))
